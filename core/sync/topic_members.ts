/** Topics, the connections that use them, and what these are told. */

import type { Code } from "../errors.ts";
import type { Peer } from "./auth.ts";
import {
  type Announcement,
  encodeMessage,
  type Message,
  type TopicMessage,
  type TopicNews,
} from "./messages.ts";
import type { TokenBucket } from "./token_bucket.ts";
import type { TopicPeerLimits } from "./topic_limits.ts";
import type { Via } from "./via.ts";

/** The connection of somebody who uses topics. */
export interface TopicPeer extends Peer {
  /** What it is called in `via`, if it is a relay. */
  readonly relay?: string;
  /** Sends a message that is encoded already: one encoding serves everybody. */
  send(text: string): void;
  /** Bytes that wait for the peer to read them. */
  bufferedBytes(): number;
}

/** A connection's place among the topics. */
export interface Seat {
  /** Does what the peer asks, or refuses it. */
  take(message: TopicMessage): void;
  /** The connection has ended: what it announced is withdrawn. */
  leave(): void;
}

/** A relay that this process asks: what is said here goes there, and the other way round. */
export interface TopicLink {
  /** Takes what the relay tells. */
  hear(news: TopicNews): void;
  /** The connection has ended: what the relay told is withdrawn. */
  leave(): void;
}

/** What is known of one connection. */
export interface Member {
  readonly peer: TopicPeer;
  readonly limits: TopicPeerLimits;
  readonly interests: Set<string>;
  /** By topic and announcement. */
  readonly announcements: Map<string, TopicAnnouncement>;
  /** Of a relay, by what way it was told of an announcement. */
  readonly told: Map<string, string>;
  readonly changes: TokenBucket;
  readonly casts: TokenBucket;
  /** The last cast was one too many, and the peer knows: it is not told so for every one. */
  isTold: boolean;
}

/** What is announced, and where. */
export type TopicAnnouncement = { readonly topic: string } & Announcement;

/** An announcement and who makes it, by what ways: it is there until the last of them has withdrawn it. */
export interface Announced extends Announcement {
  readonly ways: Map<Member, Via>;
}

/** One topic. */
export interface Topic {
  readonly interested: Map<Member, Via>;
  readonly announced: Map<string, Announced>;
}

/** Whether the peer may speak as the key that it names. */
export function isBelieved(
  member: Member,
  message: Extract<TopicMessage, { readonly by: unknown }>,
): boolean {
  const { by } = message;
  if (by === undefined || member.peer.keys.has(by)) return true;
  refuse(member, message, "refused", `this connection has not shown that it holds ${by}`);
  return false;
}

/** Says that it is not done. */
export function refuse(member: Member, asked: TopicMessage, code: Code, message: string): void {
  const { type: of, topic } = asked;
  const key = "key" in asked ? asked.key : undefined;
  tell(member, { type: "refuse", of, code, message, topic, key });
}

/** Tells one. */
export function tell(member: Member, message: Message): void {
  member.peer.send(encodeMessage(message));
}

/** Tells everybody who is interested, also who has caused it: all see the same. Relays are told the way. */
export function tellAll({ interested }: Topic, message: Message): void {
  const text = encodeMessage(message);
  for (const { peer } of interested.keys()) if (peer.relay === undefined) peer.send(text);
}

/** Names an announcement under its topic. */
export function idOf({ key, by }: Announcement): string {
  return `${key} ${by ?? ""}`;
}

/** Names it among all of one connection. */
export function ownName(topic: string, announcement: Announcement): string {
  return `${idOf(announcement)} ${topic}`;
}
