/** What two peers say about parts of a log; the parts themselves are frames, see `parts.ts`. */

import { type Code, isCode } from "../errors.ts";
import type { Key } from "../identity/key.ts";
import { decodeHead, HEAD_BYTES, type SignedHead } from "../log/head.ts";
import { HASH_BYTES } from "../log/merkle.ts";
import type { Position } from "../log/run.ts";
import { READING_MAX } from "./ask.ts";
import { type Fields, optional, readBytes, readCount, readKey, readText, wrong } from "./fields.ts";

/** What is said about parts of one log. */
export type PartMessage =
  /** "Tell me your head of this log, now and whenever it moves on; I ask for what I need of it." */
  | { readonly type: "watch"; readonly key: Key }
  /** The answer, and what follows: "this is my head". */
  | { readonly type: "newest"; readonly key: Key; readonly head: SignedHead | undefined }
  /** "Tell me no more of it." */
  | { readonly type: "unwatch"; readonly key: Key }
  /** "Give me this part", see {@link Ask}: answered by a frame, or by `failed`. */
  | Load
  /** "I cannot": give that part, or without an `id` have that log watched. */
  | {
    readonly type: "failed";
    readonly key: Key;
    readonly id: number | undefined;
    readonly code: Code;
    readonly message: string;
  };

/** One question. */
export interface Load {
  /** What kind of message this is. */
  readonly type: "load";
  /** Whose log. */
  readonly key: Key;
  /** What the answer is to be called. */
  readonly id: number;
  /** Of which log, or what the asker holds. */
  readonly log: Position | undefined;
  /** An address in the block that is needed. */
  readonly at: number | undefined;
  /** What it is needed for, as JSON. */
  readonly reading: string | undefined;
  /** The first block that is needed. */
  readonly first: number | undefined;
  /** The block after the last one. */
  readonly end: number | undefined;
}

const ABOUT_PARTS: ReadonlySet<string> = new Set<PartMessage["type"]>(
  ["watch", "newest", "unwatch", "load", "failed"],
);

/** Whether `message` is about parts of a log. */
export function isAboutPart(message: { readonly type: string }): message is PartMessage {
  return ABOUT_PARTS.has(message.type);
}

/** What reads each of them. */
export const PART_READERS: {
  readonly [Type in PartMessage["type"]]: (fields: Fields) => PartMessage;
} = {
  watch: (fields) => ({ type: "watch", key: readKey(fields.key) }),
  newest: (fields) => ({
    type: "newest",
    key: readKey(fields.key),
    head: optional(fields.head, (value) => decodeHead(readBytes(value, HEAD_BYTES))),
  }),
  unwatch: (fields) => ({ type: "unwatch", key: readKey(fields.key) }),
  load: (fields) => ({
    type: "load",
    key: readKey(fields.key),
    id: readCount(fields.id),
    log: optional(fields.log, readPosition),
    at: optional(fields.at, readCount),
    reading: optional(fields.reading, readReading),
    first: optional(fields.first, readCount),
    end: optional(fields.end, readCount),
  }),
  failed: (fields) => ({
    type: "failed",
    key: readKey(fields.key),
    id: optional(fields.id, readCount),
    code: isCode(fields.code) ? fields.code : "refused",
    message: readText(fields.message),
  }),
};

/** A position. */
export function readPosition(value: unknown): Position {
  if (typeof value !== "object" || value === null) throw wrong("position", value);
  const { epoch, blocks, root } = value as Fields;
  return {
    epoch: readCount(epoch),
    blocks: readCount(blocks),
    root: readBytes(root, HASH_BYTES),
  };
}

function readReading(value: unknown): string {
  if (typeof value !== "string" || value.length > READING_MAX) throw wrong("reading", value);
  return value;
}
