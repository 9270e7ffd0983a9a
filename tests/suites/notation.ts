/**
 * Values in JSON, for test vectors that other languages read: null, booleans, strings, lists and safe
 * integers as they are, everything else as an object with one name that begins with `$`.
 *
 *     {"$map": [[key, value]...]}   {"$undefined": true}   {"$float": 16 hexadecimal digits}
 *     {"$bigint": decimal}   {"$date": milliseconds}   {"$bytes": hexadecimal}
 *     {"$link": {"key": text, "seq": number, "path": [steps]}}
 */

import { Link, type Path, type Value } from "../../core/codec/value.ts";
import { parseKey } from "../../core/identity/key.ts";

/** What JSON holds. */
export type Json = null | boolean | number | string | Json[] | { [name: string]: Json };

/** `value` in the notation. */
export function toNotation(value: Value): Json {
  if (value === undefined) return { $undefined: true };
  if (typeof value === "bigint") return { $bigint: String(value) };
  if (typeof value === "number") {
    if (Number.isSafeInteger(value) && !Object.is(value, -0)) return value;
    const bytes = new Uint8Array(8);
    new DataView(bytes.buffer).setFloat64(0, value);
    return { $float: bytes.toHex() };
  }
  if (typeof value !== "object" || value === null) return value;
  if (value instanceof Uint8Array) return { $bytes: value.toHex() };
  if (value instanceof Date) return { $date: value.getTime() };
  if (value instanceof Link) {
    const { key, seq, path } = value;
    return { $link: { key, ...(seq === undefined ? {} : { seq }), path: [...path] } };
  }
  if (Array.isArray(value)) return value.map(toNotation);
  return { $map: Object.entries(value).map(([key, child]) => [key, toNotation(child)]) };
}

/** The value that `json` stands for. */
export function fromNotation(json: Json): Value {
  if (typeof json !== "object" || json === null) return json;
  if (Array.isArray(json)) return json.map(fromNotation);
  const [[name, content]] = Object.entries(json);
  switch (name) {
    case "$undefined":
      return undefined;
    case "$bigint":
      return BigInt(content as string);
    case "$float":
      return new DataView(Uint8Array.fromHex(content as string).buffer).getFloat64(0);
    case "$bytes":
      return Uint8Array.fromHex(content as string);
    case "$date":
      return new Date(content as number);
    case "$link":
      return readLink(content as unknown as { key: string; seq?: number; path: Path });
    case "$map":
      return Object.fromEntries(
        (content as [string, Json][]).map(([key, child]) => [key, fromNotation(child)]),
      );
    default:
      throw new TypeError(`not a value in the notation: ${name}`);
  }
}

function readLink({ key, seq, path }: { key: string; seq?: number; path: Path }): Link {
  return new Link(parseKey(key), { seq, path });
}
