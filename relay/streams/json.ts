/**
 * Values as JSON. What JSON has is written as it is; the rest becomes an object with one key:
 *
 *     undefined          {"$undefined": true}
 *     NaN, ±Infinity, -0 {"$number": "NaN"}  "Infinity"  "-Infinity"  "-0"
 *     bigint             {"$bigint": "-12"}
 *     Date               {"$date": "2026-01-31T12:00:00.000Z"}
 *     bytes              {"$bytes": "AP8="}                     (base64, with padding)
 *     link               {"$link": {"key": KEY, "seq": 3, "path": ["a", 0]}}  (seq only if it has one)
 *     a map whose only key begins with "$"
 *                        {"$map": {"$date": 1}}                 (the map inside, as it is)
 */

import { Link, type Value } from "../../core/codec/value.ts";
import { StreamoError } from "../../core/errors.ts";

/** Bytes encoded to base64 at a time: a multiple of 3, so that the parts join. */
const BASE64_STEP_BYTES = 49_152;

/**
 * The JSON text of `value`, in parts. `budget` when it takes more than `maxCharacters`: equal parts of
 * a value are stored once, so a few stored bytes can stand for any amount of text.
 */
export function jsonText(value: Value, maxCharacters: number): string[] {
  const writer = new JsonWriter(maxCharacters);
  writer.value(value);
  return writer.parts;
}

class JsonWriter {
  readonly parts: string[] = [];
  #left: number;
  readonly #max: number;

  constructor(max: number) {
    this.#left = this.#max = max;
  }

  value(value: Value): void {
    switch (typeof value) {
      case "string":
        // Checked before it is escaped: that alone can take six times the space.
        this.#spend(value.length);
        return this.#write(JSON.stringify(value), value.length);
      case "undefined":
        return this.#write('{"$undefined":true}');
      case "bigint":
        return this.#write(`{"$bigint":"${value}"}`);
      case "number":
        return this.#number(value);
      case "boolean":
        return this.#write(String(value));
      default:
        return value === null ? this.#write("null") : this.#object(value);
    }
  }

  #number(value: number): void {
    const isPlain = Number.isFinite(value) && !Object.is(value, -0);
    if (isPlain) return this.#write(String(value));
    this.#write(`{"$number":"${Object.is(value, -0) ? "-0" : value}"}`);
  }

  #object(value: object): void {
    if (value instanceof Date) return this.#write(`{"$date":"${value.toISOString()}"}`);
    if (value instanceof Uint8Array) return this.#bytes(value);
    if (value instanceof Link) {
      const { key, seq, path } = value;
      return this.#write(`{"$link":${JSON.stringify({ key, seq, path })}}`);
    }
    if (Array.isArray(value)) return this.#list(value);
    this.#map(value as { readonly [key: string]: Value });
  }

  #list(list: readonly Value[]): void {
    this.#write("[");
    list.forEach((element, i) => {
      if (i > 0) this.#write(",");
      this.value(element);
    });
    this.#write("]");
  }

  #map(map: { readonly [key: string]: Value }): void {
    const keys = Object.keys(map);
    const isEscaped = keys.length === 1 && keys[0].startsWith("$");
    this.#write(isEscaped ? '{"$map":{' : "{");
    keys.forEach((key, i) => {
      this.#write(`${i > 0 ? "," : ""}${JSON.stringify(key)}:`);
      this.value(map[key]);
    });
    this.#write(isEscaped ? "}}" : "}");
  }

  #bytes(bytes: Uint8Array): void {
    this.#write('{"$bytes":"');
    for (let at = 0; at < bytes.length; at += BASE64_STEP_BYTES) {
      this.#write(bytes.subarray(at, at + BASE64_STEP_BYTES).toBase64());
    }
    this.#write('"}');
  }

  /** Takes `text`, of which `paid` characters are accounted for. */
  #write(text: string, paid = 0): void {
    this.#spend(text.length - paid);
    this.parts.push(text);
  }

  #spend(characters: number): void {
    this.#left -= characters;
    if (this.#left >= 0) return;
    throw new StreamoError("budget", `this value takes more than ${this.#max} characters of JSON`, {
      characters: this.#max,
    });
  }
}
