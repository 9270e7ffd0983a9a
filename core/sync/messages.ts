/** Control messages: JSON text, each with a `type`. What does not fit is `malformed`. */

import { fromHex, toHex } from "../hex.ts";
import { type Code, isCode, StreamoError } from "../errors.ts";
import type { Key } from "../identity/key.ts";
import { SIGNATURE_BYTES } from "../identity/strict.ts";
import { decodeHead, encodeHead, HEAD_BYTES, type SignedHead } from "../log/head.ts";
import type { LogMessage, OfferedBranch } from "./log_messages.ts";
import {
  type Fields,
  optional,
  readBytes,
  readCount,
  readKey,
  readList,
  readText,
  shown,
  wrong,
} from "./fields.ts";
import { PART_READERS, type PartMessage, readPosition } from "./part_messages.ts";
import { isTopic } from "./topic_name.ts";

/** Longest control message, in UTF-16 units. */
export const MESSAGE_MAX = 65_536;
/** Most positions in one `roots` message. */
export const ROOTS_MAX = 32;
/** Most keys in one `park` message. */
export const PARK_MAX = 1000;

/** Most bytes of a cast's data. */
export const CAST_MAX_BYTES = 4096;
/** Bytes of the name that a cast has between relays. */
export const CAST_ID_BYTES = 16;
/** Most announcements under one topic: all of them fit in one message. */
export const ANNOUNCED_MAX = 256;
/** Bytes in a challenge. */
export const CHALLENGE_BYTES = 32;

/** Everything that the two sides say to each other besides blocks. */
export type Message =
  | Hello
  | Auth
  | LogMessage
  | ListMessage
  | TopicMessage
  | TopicNews
  | PartMessage
  | Refusal
  /** Answered by `pong`: tells a quiet connection from a dead one. */
  | { readonly type: "ping" }
  | { readonly type: "pong" };

/** The first message of both sides. */
export interface Hello {
  /** What kind of message this is. */
  readonly type: "hello";
  /** The version of the protocol. */
  readonly protocol: 1;
  /** Name and version of the software, for people. */
  readonly software: string;
  /** The repo to look at first. */
  readonly home?: Key;
  /** What a relay is called in `via`; another one after each start. */
  readonly relay?: string;
  /** Random bytes that whoever wants to be believed on this connection has to sign. */
  readonly challenge: Uint8Array;
}

/** "I hold this key": its signature of both challenges and the host's name. */
export interface Auth {
  /** What kind of message this is. */
  readonly type: "auth";
  /** The key that is claimed to be held. */
  readonly key: Key;
  /** What it signed: see `authBytes` in core/log/head.ts. */
  readonly signature: Uint8Array;
}

/** What is said about many logs at once, besides the frames of `lists.ts`. */
export type ListMessage =
  /** "I do not know that list: send me its keys." */
  | { readonly type: "keys" }
  /** "Of the list, I have opened what differs: the rest is equal." */
  | { readonly type: "settled" }
  /** "I keep no channel for these until something happens: `open` them again before you send." */
  | { readonly type: "park"; readonly keys: readonly Key[] };

/** A repo that somebody names under a topic. */
export interface Announcement {
  /** Whose repo. */
  readonly key: Key;
  /** A key that the announcer has proved to hold. */
  readonly by: Key | undefined;
  /** Between relays: by way of which it comes. */
  readonly via?: readonly string[];
}

/** What one asks of a peer that has topics. */
export type TopicMessage =
  /** "Tell me what is announced and cast under this topic", until `uninterest`. */
  | { readonly type: "interest"; readonly topic: string; readonly via?: readonly string[] }
  | { readonly type: "uninterest"; readonly topic: string }
  /** "Name this repo to whoever is interested", until `withdraw` or the end of the connection. */
  | ({ readonly type: "announce"; readonly topic: string } & Announcement)
  | ({ readonly type: "withdraw"; readonly topic: string } & Announcement)
  /** "Pass this on to whoever is interested now, and forget it." */
  | {
    readonly type: "cast";
    readonly topic: string;
    readonly data: Uint8Array;
    readonly by: Key | undefined;
    /** Between relays: which cast it is. */
    readonly id?: Uint8Array;
  };

/** What a peer that has topics tells. */
export type TopicNews =
  /** The answer to `interest`: all that is announced. */
  | {
    readonly type: "present";
    readonly topic: string;
    readonly announcements: readonly Announcement[];
  }
  /** Changes to that. */
  | ({ readonly type: "announced"; readonly topic: string } & Announcement)
  | ({ readonly type: "withdrawn"; readonly topic: string } & Announcement)
  /** Somebody's cast. */
  | {
    readonly type: "heard";
    readonly topic: string;
    readonly data: Uint8Array;
    readonly by: Key | undefined;
    /** Between relays: which cast it is. */
    readonly id?: Uint8Array;
  };

/** "I do not do that." */
export interface Refusal {
  /** What kind of message this is. */
  readonly type: "refuse";
  /** The type of what was asked. */
  readonly of: Auth["type"] | TopicMessage["type"];
  /** Why, for programs. */
  readonly code: Code;
  /** Why, for people. */
  readonly message: string;
  /** The topic that was named. */
  readonly topic: string | undefined;
  /** The key that was named. */
  readonly key: Key | undefined;
}

/** A message as text. */
export function encodeMessage(message: Message): string {
  return JSON.stringify(message, (name, value) => {
    if (value instanceof Uint8Array) return toHex(value);
    if (name === "head" && value !== undefined) return toHex(encodeHead(value as SignedHead));
    return value;
  });
}

/** The message that `text` is; `malformed` or `too_large` unless it is one. */
export function decodeMessage(text: string): Message {
  if (text.length > MESSAGE_MAX) {
    throw new StreamoError("too_large", `a control message of ${text.length} characters`);
  }
  let fields: unknown;
  try {
    fields = JSON.parse(text);
  } catch (error) {
    throw new StreamoError("malformed", "a control message is not JSON", {}, { cause: error });
  }
  if (typeof fields !== "object" || fields === null) throw wrong("message", fields);
  const { type } = fields as { type?: unknown };
  if (typeof type !== "string" || !Object.hasOwn(READERS, type)) throw wrong("type", type);
  return READERS[type as Message["type"]](fields as Fields);
}

const REFUSED: readonly Refusal["of"][] = [
  "auth",
  "interest",
  "uninterest",
  "announce",
  "withdraw",
  "cast",
];

const READERS: { readonly [Type in Message["type"]]: (fields: Fields) => Message } = {
  hello(fields) {
    if (fields.protocol !== 1) {
      throw new StreamoError("unsupported", `protocol ${shown(fields.protocol)}`);
    }
    return {
      type: "hello",
      protocol: 1,
      software: readText(fields.software),
      home: optional(fields.home, readKey),
      relay: optional(fields.relay, readName),
      challenge: readBytes(fields.challenge, CHALLENGE_BYTES),
    };
  },
  auth: (fields) => ({
    type: "auth",
    key: readKey(fields.key),
    signature: readBytes(fields.signature, SIGNATURE_BYTES),
  }),
  open: (fields) => ({
    type: "open",
    key: readKey(fields.key),
    channel: readCount(fields.channel),
    have: optional(fields.have, readPosition),
    via: optional(fields.via, readVia),
  }),
  opened: (fields) => ({
    type: "opened",
    key: readKey(fields.key),
    channel: readCount(fields.channel),
    head: optional(fields.head, readHead),
    staged: optional(fields.staged, readPosition),
    shared: optional(fields.shared, readCount),
  }),
  roots: (fields) => ({
    type: "roots",
    key: readKey(fields.key),
    at: readList(fields.at, ROOTS_MAX).map(readCount),
  }),
  rooted: (fields) => ({
    type: "rooted",
    key: readKey(fields.key),
    at: readList(fields.at, ROOTS_MAX).map(readCount),
    roots: readList(fields.roots, ROOTS_MAX).map((root) =>
      root === null ? undefined : readBytes(root, 32)
    ),
  }),
  want: (fields) => ({
    type: "want",
    key: readKey(fields.key),
    from: readCount(fields.from),
    aside: optional(fields.aside, (root) => readBytes(root, 32)),
  }),
  replace: (fields) => ({
    type: "replace",
    key: readKey(fields.key),
    from: readCount(fields.from),
  }),
  aside: (fields) => ({
    type: "aside",
    key: readKey(fields.key),
    branches: readList(fields.branches, ROOTS_MAX).map(readBranch),
  }),
  ack: (fields) => ({
    type: "ack",
    key: readKey(fields.key),
    epoch: readCount(fields.epoch),
    blocks: readCount(fields.blocks),
    held: fields.held === true ? true : undefined,
  }),
  reject: (fields) => ({
    type: "reject",
    key: readKey(fields.key),
    code: isCode(fields.code) ? fields.code : "refused",
    message: readText(fields.message),
    head: optional(fields.head, readHead),
  }),
  close: (fields) => ({ type: "close", key: readKey(fields.key) }),
  interest: ({ topic, via }) => ({
    type: "interest",
    topic: readTopic(topic),
    via: optional(via, readVia),
  }),
  uninterest: (fields) => ({ type: "uninterest", topic: readTopic(fields.topic) }),
  announce: (fields) => ({ type: "announce", ...readAnnounced(fields) }),
  withdraw: (fields) => ({ type: "withdraw", ...readAnnounced(fields) }),
  cast: (fields) => ({ type: "cast", ...readCast(fields) }),
  present: (fields) => ({
    type: "present",
    topic: readTopic(fields.topic),
    announcements: readList(fields.announcements, ANNOUNCED_MAX).map(readAnnouncement),
  }),
  announced: (fields) => ({ type: "announced", ...readAnnounced(fields) }),
  withdrawn: (fields) => ({ type: "withdrawn", ...readAnnounced(fields) }),
  heard: (fields) => ({ type: "heard", ...readCast(fields) }),
  refuse(fields) {
    const { of } = fields;
    if (!REFUSED.includes(of as Refusal["of"])) throw wrong("refusal", of);
    return {
      type: "refuse",
      of: of as Refusal["of"],
      code: isCode(fields.code) ? fields.code : "refused",
      message: readText(fields.message),
      topic: optional(fields.topic, readTopic),
      key: optional(fields.key, readKey),
    };
  },
  ...PART_READERS,
  keys: () => ({ type: "keys" }),
  settled: () => ({ type: "settled" }),
  park: (fields) => ({ type: "park", keys: readList(fields.keys, PARK_MAX).map(readKey) }),
  ping: () => ({ type: "ping" }),
  pong: () => ({ type: "pong" }),
};

function readHead(value: unknown): SignedHead {
  return decodeHead(readBytes(value, HEAD_BYTES));
}

function readTopic(value: unknown): string {
  if (!isTopic(value)) throw wrong("topic", value);
  return value;
}

function readName(value: unknown): string {
  if (typeof value !== "string" || !/^[0-9a-z]{1,32}$/.test(value)) throw wrong("name", value);
  return value;
}

function readVia(value: unknown): string[] {
  return readList(value, ROOTS_MAX).map(readName);
}

function readAnnouncement(value: unknown): Announcement {
  if (typeof value !== "object" || value === null) throw wrong("announcement", value);
  const { key, by, via } = value as Fields;
  return { key: readKey(key), by: optional(by, readKey), via: optional(via, readVia) };
}

function readAnnounced(fields: Fields): { topic: string } & Announcement {
  return { topic: readTopic(fields.topic), ...readAnnouncement(fields) };
}

/** Data that is too long is for whoever has the topics to refuse: a mistake, and no broken rule. */
function readCast({ topic, data, by, id }: Fields): {
  topic: string;
  data: Uint8Array;
  by: Key | undefined;
  id: Uint8Array | undefined;
} {
  const bytes = typeof data === "string" ? fromHex(data) : undefined;
  if (bytes === undefined) throw wrong("cast", data);
  return {
    topic: readTopic(topic),
    data: bytes,
    by: optional(by, readKey),
    id: optional(id, (id) => readBytes(id, CAST_ID_BYTES)),
  };
}

function readBranch(value: unknown): OfferedBranch {
  if (typeof value !== "object" || value === null) throw wrong("branch", value);
  const { head, from } = value as Fields;
  return { head: readHead(head), from: readCount(from) };
}
