/** Fields of control messages: what is not of the right kind is `malformed`. */

import { fromHex } from "../hex.ts";
import { StreamoError } from "../errors.ts";
import { type Key, parseKey } from "../identity/key.ts";

/** An object of a message. */
export type Fields = Readonly<Record<string, unknown>>;

/** The text of a key. */
export function readKey(value: unknown): Key {
  if (typeof value !== "string") throw wrong("key", value);
  return parseKey(value);
}

/** An integer from 0 to 2^53 - 1. */
export function readCount(value: unknown): number {
  if (!Number.isSafeInteger(value) || (value as number) < 0) throw wrong("number", value);
  return value as number;
}

/** Text for people. */
export function readText(value: unknown): string {
  if (typeof value !== "string" || value.length > 1000) throw wrong("text", value);
  return value;
}

/** A list of at most so many elements. */
export function readList(value: unknown, most: number): readonly unknown[] {
  if (!Array.isArray(value) || value.length > most) throw wrong("list", value);
  return value;
}

/** So many bytes in hexadecimal. */
export function readBytes(value: unknown, length: number): Uint8Array {
  const bytes = typeof value === "string" ? fromHex(value) : undefined;
  if (bytes?.length !== length) throw wrong(`text of ${length} bytes`, value);
  return bytes;
}

/** Undefined where the field is left out. */
export function optional<T>(value: unknown, read: (value: unknown) => T): T | undefined {
  return value === undefined ? undefined : read(value);
}

/** The error for a field that is not what it has to be. */
export function wrong(what: string, value: unknown): StreamoError {
  return new StreamoError("malformed", `a control message has a bad ${what}: ${shown(value)}`);
}

/** What a peer sent, in a few words: it may be nested deeper than the stack of this side. */
export function shown(value: unknown): string {
  if (typeof value === "string") return JSON.stringify(value.slice(0, 80));
  if (typeof value !== "object" || value === null) return String(value);
  return Array.isArray(value) ? "a list" : "an object";
}
