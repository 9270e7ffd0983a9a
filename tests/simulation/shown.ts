/** Whether what a replica shows was written by the author, and where the author wrote it. */

import { isPlainObject } from "../../core/codec/plain_object.ts";
import type { Value } from "../../core/codec/value.ts";
import type { Truth } from "./truth.ts";

/** A large value: its id, and text that follows from it, so that no part of another one passes. */
export function largeText(id: string, length: number): string {
  const piece = `${id}:${length};`;
  return `${piece}${piece.repeat(Math.ceil(length / piece.length))}`.slice(0, length);
}

/** Checks values of one author. Decoded values do not change: each object is looked at once. */
export class Shown {
  readonly #truth: Truth;
  readonly #seen = new Set<object>();

  constructor(truth: Truth) {
    this.#truth = truth;
  }

  /** What is wrong with the whole value of a repo. */
  faults(value: Value): string[] {
    return [...this.#walk(value, [])];
  }

  /** What is wrong with events. */
  eventFaults(events: readonly Value[]): string[] {
    return events.filter((id) => this.#truth.find(String(id))?.kind !== "publish")
      .map((id) => `shows the event ${JSON.stringify(id)}, which nobody published`);
  }

  *#walk(value: Value, path: readonly string[]): Generator<string> {
    if (typeof value === "object" && value !== null) {
      if (this.#seen.has(value)) return;
      this.#seen.add(value);
      if (Array.isArray(value)) {
        for (const element of value) yield* this.#check(element, path.join("/"));
      } else if (isPlainObject(value)) {
        yield* this.#pairFaults(value, path);
        for (const [key, child] of Object.entries(value)) {
          yield* this.#walk(child as Value, [...path, key]);
        }
      }
    } else if (value !== undefined) yield* this.#check(value, path.join("/"));
  }

  *#check(value: Value, place: string): Generator<string> {
    if (place === "text") {
      for (const line of String(value).split("\n")) {
        if (line !== "") yield* this.#check(line, "text/line");
      }
      return;
    }
    const text = String(value);
    const [id] = text.split(":", 1);
    const found = this.#truth.find(id);
    // Both halves of a pair are one write.
    const isRight = typeof value === "string" && found?.place === place.replace(/right$/, "left") &&
      (text === id || text === largeText(id, text.length));
    if (!isRight) yield `shows ${JSON.stringify(value)?.slice(0, 80)} at ${place}`;
  }

  /** Both halves of a pair were written in one transaction, by the only writer of it. */
  *#pairFaults(value: Record<string, Value>, path: readonly string[]): Generator<string> {
    if (path[0] !== "pairs" || path.length !== 2) return;
    const { left, right } = value;
    if (left !== right) yield `shows half of a transaction at ${path.join("/")}: ${left}, ${right}`;
  }
}
