/** Control messages: JSON text, each with a `type`. What does not fit is `malformed`. */

import { fromHex, toHex } from "../bytes.ts";
import { type Code, isCode, StreamoError } from "../errors.ts";
import { type Key, parseKey } from "../identity/key.ts";
import { decodeHead, encodeHead, type SignedHead } from "../log/head.ts";
import type { Position } from "../log/run.ts";

/** Longest control message, in UTF-16 units. */
export const MESSAGE_MAX = 65_536;
/** Most positions in one `roots` message. */
export const ROOTS_MAX = 32;

/** Everything that the two sides say to each other besides blocks. */
export type Message =
  /** The first message of both sides. */
  | {
    readonly type: "hello";
    readonly protocol: 1;
    readonly software: string;
    readonly home?: Key;
    /** What a relay is called in `via`; another one after each start. */
    readonly relay?: string;
  }
  /**
   * "I want this log, and have this of it." Blocks that I send for it carry `channel`. A relay that
   * asks for others says by way of which relays, itself the last one.
   */
  | {
    readonly type: "open";
    readonly key: Key;
    readonly channel: number;
    readonly have: Position | undefined;
    readonly via?: readonly string[];
  }
  /**
   * "This is my head; blocks that I send carry `channel`." `shared` is how many blocks both have in
   * common, where that is known: then the blocks after it follow without being asked for.
   */
  | {
    readonly type: "opened";
    readonly key: Key;
    readonly channel: number;
    readonly head: SignedHead | undefined;
    /** Blocks past the head that are here from an upload that broke off. */
    readonly staged: Position | undefined;
    readonly shared: number | undefined;
  }
  /** "What are your roots over so many blocks?" */
  | { readonly type: "roots"; readonly key: Key; readonly at: readonly number[] }
  /** The answer; undefined where the log is shorter. */
  | {
    readonly type: "rooted";
    readonly key: Key;
    readonly at: readonly number[];
    readonly roots: readonly (Uint8Array | undefined)[];
  }
  /** "Send your blocks from this one on." */
  | { readonly type: "want"; readonly key: Key; readonly from: number }
  /** "I have this many of your blocks, durably." */
  | { readonly type: "ack"; readonly key: Key; readonly blocks: number }
  /** "I do not take this"; with a head where the sender should look at it. */
  | {
    readonly type: "reject";
    readonly key: Key;
    readonly code: Code;
    readonly message: string;
    readonly head: SignedHead | undefined;
  }
  /** "I do not want this log any more." */
  | { readonly type: "close"; readonly key: Key }
  /** Answered by `pong`: tells a quiet connection from a dead one. */
  | { readonly type: "ping" }
  | { readonly type: "pong" };

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

type Fields = Readonly<Record<string, unknown>>;

const READERS: { readonly [Type in Message["type"]]: (fields: Fields) => Message } = {
  hello(fields) {
    if (fields.protocol !== 1) {
      throw new StreamoError("unsupported", `protocol ${JSON.stringify(fields.protocol)}`);
    }
    const home = fields.home === undefined ? undefined : readKey(fields.home);
    const relay = fields.relay === undefined ? undefined : readName(fields.relay);
    return { type: "hello", protocol: 1, software: readText(fields.software), home, relay };
  },
  open: (fields) => ({
    type: "open",
    key: readKey(fields.key),
    channel: readCount(fields.channel),
    have: fields.have === undefined ? undefined : readPosition(fields.have),
    via: fields.via === undefined ? undefined : readList(fields.via).map(readName),
  }),
  opened: (fields) => ({
    type: "opened",
    key: readKey(fields.key),
    channel: readCount(fields.channel),
    head: readHead(fields.head),
    staged: fields.staged === undefined ? undefined : readPosition(fields.staged),
    shared: fields.shared === undefined ? undefined : readCount(fields.shared),
  }),
  roots: (fields) => ({
    type: "roots",
    key: readKey(fields.key),
    at: readList(fields.at).map(readCount),
  }),
  rooted: (fields) => ({
    type: "rooted",
    key: readKey(fields.key),
    at: readList(fields.at).map(readCount),
    roots: readList(fields.roots).map((root) => root === null ? undefined : readHash(root)),
  }),
  want: (fields) => ({ type: "want", key: readKey(fields.key), from: readCount(fields.from) }),
  ack: (fields) => ({ type: "ack", key: readKey(fields.key), blocks: readCount(fields.blocks) }),
  reject: (fields) => ({
    type: "reject",
    key: readKey(fields.key),
    code: isCode(fields.code) ? fields.code : "refused",
    message: readText(fields.message),
    head: readHead(fields.head),
  }),
  close: (fields) => ({ type: "close", key: readKey(fields.key) }),
  ping: () => ({ type: "ping" }),
  pong: () => ({ type: "pong" }),
};

function readKey(value: unknown): Key {
  if (typeof value !== "string") throw wrong("key", value);
  return parseKey(value);
}

function readCount(value: unknown): number {
  if (!Number.isSafeInteger(value) || (value as number) < 0) throw wrong("number", value);
  return value as number;
}

function readText(value: unknown): string {
  if (typeof value !== "string" || value.length > 1000) throw wrong("text", value);
  return value;
}

function readName(value: unknown): string {
  if (typeof value !== "string" || !/^[0-9a-z]{1,32}$/.test(value)) throw wrong("name", value);
  return value;
}

function readList(value: unknown): readonly unknown[] {
  if (!Array.isArray(value) || value.length > ROOTS_MAX) throw wrong("list", value);
  return value;
}

function readHash(value: unknown): Uint8Array {
  const bytes = typeof value === "string" && value.length === 64 ? fromHex(value) : undefined;
  if (bytes === undefined) throw wrong("hash", value);
  return bytes;
}

function readHead(value: unknown): SignedHead | undefined {
  if (value === undefined) return undefined;
  const bytes = typeof value === "string" && value.length < 1000 ? fromHex(value) : undefined;
  if (bytes === undefined) throw wrong("head", value);
  return decodeHead(bytes);
}

function readPosition(value: unknown): Position {
  if (typeof value !== "object" || value === null) throw wrong("position", value);
  const { epoch, blocks, root } = value as Fields;
  return { epoch: readCount(epoch), blocks: readCount(blocks), root: readHash(root) };
}

function wrong(what: string, value: unknown): StreamoError {
  const text = String(JSON.stringify(value)).slice(0, 80);
  return new StreamoError("malformed", `a control message has a bad ${what}: ${text}`);
}
