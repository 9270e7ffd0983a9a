/** Who is interested in which topics, and what is announced there: of all peers of one process. */

import type { Code } from "../errors.ts";
import { type Clock, systemClock } from "../platform.ts";
import type { Peer } from "./auth.ts";
import {
  ANNOUNCED_MAX,
  type Announcement,
  CAST_MAX_BYTES,
  encodeMessage,
  type Message,
  type TopicMessage,
} from "./messages.ts";
import { type Rate, TokenBucket } from "./token_bucket.ts";

/** What the topics of one process take. */
export interface TopicLimits {
  /** Topics that one connection is interested in. */
  readonly interests: number;
  /** Announcements of one connection. */
  readonly announcements: number;
  /** Interests and announcements of all connections: what bounds memory. */
  readonly entries: number;
  /** How often one connection may change its interests and announcements. */
  readonly changes: Rate;
  /** How often one connection may cast. */
  readonly casts: Rate;
  /** A peer that has not read so many bytes gets no casts. */
  readonly waitingBytes: number;
}

/** What topics take unless told otherwise. */
export const TOPIC_LIMITS: TopicLimits = {
  interests: 256,
  announcements: 64,
  entries: 250_000,
  // A client that comes back says all of it again.
  changes: { burst: 512, perSecond: 20 },
  casts: { burst: 100, perSecond: 50 },
  waitingBytes: 256 * 1024,
};

/** The connection of somebody who uses topics. */
export interface TopicPeer extends Peer {
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

/** What is known of one connection. */
interface Member {
  readonly peer: TopicPeer;
  readonly interests: Set<string>;
  /** By topic and announcement. */
  readonly announcements: Map<string, { readonly topic: string } & Announcement>;
  readonly changes: TokenBucket;
  readonly casts: TokenBucket;
  /** The last cast was one too many, and the peer knows: it is not told so for every one. */
  isTold: boolean;
}

/** An announcement and who makes it: it is there until the last of them has withdrawn it. */
interface Announced extends Announcement {
  readonly members: Set<Member>;
}

interface Topic {
  readonly interested: Set<Member>;
  readonly announced: Map<string, Announced>;
}

type Of<Type extends TopicMessage["type"]> = Extract<TopicMessage, { readonly type: Type }>;

/** Passes on what is said under topics, and stores nothing. */
export class Topics {
  readonly #topics = new Map<string, Topic>();
  readonly #clock: Clock;
  readonly #limits: TopicLimits;
  #entries = 0;

  /** Nobody is here yet. */
  constructor(options: { readonly clock?: Clock; readonly limits?: Partial<TopicLimits> } = {}) {
    this.#clock = options.clock ?? systemClock;
    this.#limits = { ...TOPIC_LIMITS, ...options.limits };
  }

  /** Topics that somebody is interested in, or announces something under. */
  get size(): number {
    return this.#topics.size;
  }

  /** Gives a connection its place. */
  join(peer: TopicPeer): Seat {
    const { changes, casts } = this.#limits;
    const member: Member = {
      peer,
      interests: new Set(),
      announcements: new Map(),
      changes: new TokenBucket(changes, this.#clock),
      casts: new TokenBucket(casts, this.#clock),
      isTold: false,
    };
    return { take: (message) => this.#take(member, message), leave: () => this.#leave(member) };
  }

  #take(member: Member, message: TopicMessage): void {
    if (message.type === "cast") return this.#cast(member, message);
    // To take back is always allowed: what it costs was paid for before.
    if (message.type === "uninterest") return this.#uninterest(member, message.topic);
    if (message.type === "withdraw") return this.#withdraw(member, message);
    if (!member.changes.take()) {
      return refuse(member, message, "rate", "too many changes of interests and announcements");
    }
    if (message.type === "interest") this.#interest(member, message);
    else this.#announce(member, message);
  }

  #interest(member: Member, message: Of<"interest">): void {
    const { topic: name } = message;
    const { interests } = member;
    if (!interests.has(name)) {
      if (interests.size >= this.#limits.interests) {
        const text = `more than ${this.#limits.interests} topics on one connection`;
        return refuse(member, message, "refused", text);
      }
      if (!this.#takeEntry(member, message)) return;
      interests.add(name);
      this.#topic(name).interested.add(member);
    }
    const announcements = [...this.#topic(name).announced.values()].map(({ key, by }) => ({
      key,
      by,
    }));
    tell(member, { type: "present", topic: name, announcements });
  }

  #uninterest(member: Member, name: string): void {
    if (!member.interests.delete(name)) return;
    this.#entries--;
    this.#topic(name).interested.delete(member);
    this.#forgetEmpty(name);
  }

  #announce(member: Member, message: Of<"announce">): void {
    const { topic: name, key, by } = message;
    if (!isBelieved(member, message)) return;
    const id = idOf(message);
    const own = `${id} ${name}`;
    if (member.announcements.has(own)) return;
    const { announcements } = this.#limits;
    if (member.announcements.size >= announcements) {
      const text = `more than ${announcements} announcements on one connection`;
      return refuse(member, message, "refused", text);
    }
    const known = this.#topics.get(name)?.announced;
    if (known !== undefined && known.size >= ANNOUNCED_MAX && !known.has(id)) {
      const text = `more than ${ANNOUNCED_MAX} announcements under "${name}"`;
      return refuse(member, message, "refused", text);
    }
    if (!this.#takeEntry(member, message)) return;
    member.announcements.set(own, { topic: name, key, by });
    const topic = this.#topic(name);
    const others = topic.announced.get(id);
    if (others !== undefined) return void others.members.add(member);
    topic.announced.set(id, { key, by, members: new Set([member]) });
    tellAll(topic, { type: "announced", topic: name, key, by });
  }

  #withdraw(member: Member, announcement: { readonly topic: string } & Announcement): void {
    const { topic: name, key, by } = announcement;
    const id = idOf(announcement);
    if (!member.announcements.delete(`${id} ${name}`)) return;
    this.#entries--;
    const topic = this.#topic(name);
    const { members } = topic.announced.get(id)!;
    members.delete(member);
    if (members.size > 0) return;
    topic.announced.delete(id);
    tellAll(topic, { type: "withdrawn", topic: name, key, by });
    this.#forgetEmpty(name);
  }

  #cast(member: Member, message: Of<"cast">): void {
    const { topic: name, data, by } = message;
    const isTooMuch = !member.casts.take();
    const wasTold = member.isTold;
    member.isTold = isTooMuch;
    if (isTooMuch) {
      if (wasTold) return;
      return refuse(member, message, "rate", "too many casts; the next ones are dropped too");
    }
    if (data.length > CAST_MAX_BYTES) {
      const text = `a cast of ${data.length} bytes: at most ${CAST_MAX_BYTES}`;
      return refuse(member, message, "too_large", text);
    }
    if (!isBelieved(member, message)) return;
    const topic = this.#topics.get(name);
    if (topic === undefined) return;
    const text = encodeMessage({ type: "heard", topic: name, data, by });
    for (const other of topic.interested) {
      // What cannot be read in time is not worth keeping.
      const isSlow = other.peer.bufferedBytes() > this.#limits.waitingBytes;
      if (other !== member && !isSlow) other.peer.send(text);
    }
  }

  #leave(member: Member): void {
    for (const name of [...member.interests]) this.#uninterest(member, name);
    for (const announcement of [...member.announcements.values()]) {
      this.#withdraw(member, announcement);
    }
  }

  #takeEntry(member: Member, message: TopicMessage): boolean {
    const isFull = this.#entries >= this.#limits.entries;
    if (isFull) refuse(member, message, "refused", "this peer has as many topics as it can keep");
    else this.#entries++;
    return !isFull;
  }

  #topic(name: string): Topic {
    let topic = this.#topics.get(name);
    if (topic === undefined) {
      this.#topics.set(name, topic = { interested: new Set(), announced: new Map() });
    }
    return topic;
  }

  #forgetEmpty(name: string): void {
    const { interested, announced } = this.#topic(name);
    if (interested.size === 0 && announced.size === 0) this.#topics.delete(name);
  }
}

/** Whether the peer may speak as the key that it names. */
function isBelieved(
  member: Member,
  message: Extract<TopicMessage, { readonly by: unknown }>,
): boolean {
  const { by } = message;
  if (by === undefined || member.peer.keys.has(by)) return true;
  refuse(member, message, "refused", `this connection has not shown that it holds ${by}`);
  return false;
}

function refuse(member: Member, asked: TopicMessage, code: Code, message: string): void {
  const { type: of, topic } = asked;
  const key = "key" in asked ? asked.key : undefined;
  tell(member, { type: "refuse", of, code, message, topic, key });
}

function tell(member: Member, message: Message): void {
  member.peer.send(encodeMessage(message));
}

/** Tells everybody who is interested, also who has caused it: all see the same. */
function tellAll({ interested }: Topic, message: Message): void {
  const text = encodeMessage(message);
  for (const { peer } of interested) peer.send(text);
}

function idOf({ key, by }: Announcement): string {
  return `${key} ${by ?? ""}`;
}
