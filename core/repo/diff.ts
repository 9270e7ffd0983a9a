/** What changed between two values of one log, in time proportional to the change. */

import type { Space } from "../codec/chunks.ts";
import { containerOf } from "../codec/container.ts";
import { decode } from "../codec/decode.ts";
import { Meter } from "../codec/meter.ts";
import type { Node } from "../codec/node.ts";
import { DEPTH_MAX } from "../codec/tags.ts";
import type { Path, Value } from "../codec/value.ts";
import { StreamoError } from "../errors.ts";
import { Comparer } from "./compare.ts";
import { diffElements, pairElements } from "./diff_list.ts";
import { diffEntries, sameContent } from "./diff_map.ts";
import type { Maybe } from "./same_item.ts";
import { ElementIds } from "./element_ids.ts";
import { ABSENT } from "../codec/find.ts";
import type { Snapshot } from "./snapshot.ts";

/**
 * One difference; `before` and `after` are undefined where there was or is nothing, and decoded when
 * asked for.
 *
 * Differences hold one after the other: whoever makes them in the order in which they are given turns
 * the value before into the one after. In lists, an index therefore counts what earlier differences
 * have added and removed: it is the place in the list after, and of a removed element the place where
 * it would be.
 */
export interface Difference {
  /** Where they differ. */
  readonly path: Path;
  /** An entry or element that is new, one that is gone, or one with another value. */
  readonly kind: "added" | "removed" | "changed";
  /** What was there. */
  readonly before: Value;
  /** What is there now. */
  readonly after: Value;
}

/** Differing entries and elements that are looked at: each may take 100 bytes of memory. */
const ENTRIES_MAX = 4_000_000;

/**
 * Where two snapshots of one repo differ: maps key by key, in key order; lists element by element, in
 * list order; everything else as a whole. `budget` where more than `limit`
 * entries and elements differ.
 */
export function diffSnapshots(
  space: Space,
  before: Snapshot | undefined,
  after: Snapshot | undefined,
  limit: number = ENTRIES_MAX,
): Difference[] {
  const root = (snapshot: Snapshot | undefined) => snapshot === undefined ? ABSENT : snapshot.root;
  return [...new Differ(space, limit).items(root(before), root(after), [])];
}

class Differ {
  readonly #space: Space;
  readonly #meter: Meter;
  readonly #ids: ElementIds;

  constructor(space: Space, limit: number) {
    this.#space = space;
    this.#meter = new Meter("comparing", limit);
    this.#ids = new ElementIds(new Comparer(this.#meter));
  }

  *items(before: Maybe, after: Maybe, path: Path): Generator<Difference> {
    const space = this.#space;
    if (sameContent(space, before, after)) return;
    this.#meter.spend(1);
    if (path.length > DEPTH_MAX) {
      throw new StreamoError("budget", `values nest deeper than ${DEPTH_MAX}`);
    }
    const left = before === ABSENT ? undefined : containerOf(space, before);
    const right = after === ABSENT ? undefined : containerOf(space, after);
    if (left === undefined || right === undefined || left.kind !== right.kind) {
      yield new LazyDifference(space, before, after, path);
    } else if (left.kind === "map") {
      for (const { key, before, after } of diffEntries(space, left, right, this.#meter)) {
        yield* this.items(before, after, [...path, key]);
      }
    } else {
      yield* this.#elements(left, right, path);
    }
  }

  *#elements(left: Node, right: Node, path: Path): Generator<Difference> {
    for (const hunk of diffElements(this.#space, left, right, this.#ids, this.#meter)) {
      const { before, after } = hunk;
      const pairs = pairElements(this.#space, hunk);
      let [i, j] = [0, 0];
      for (const [nextI, nextJ] of [...pairs, [before.length, after.length]]) {
        const here = () => [...path, hunk.bStart + j];
        for (; i < nextI; i++) yield* this.items(before[i], ABSENT, here());
        for (; j < nextJ; j++) yield* this.items(ABSENT, after[j], here());
        if (i < before.length && j < after.length) {
          yield* this.items(before[i++], after[j], here());
          j++;
        }
      }
    }
  }
}

class LazyDifference implements Difference {
  readonly path: Path;
  readonly kind: "added" | "removed" | "changed";
  readonly #space: Space;
  readonly #before: Maybe;
  readonly #after: Maybe;

  constructor(space: Space, before: Maybe, after: Maybe, path: Path) {
    this.path = path;
    this.kind = before === ABSENT ? "added" : after === ABSENT ? "removed" : "changed";
    this.#space = space;
    this.#before = before;
    this.#after = after;
  }

  get before(): Value {
    return this.#before === ABSENT ? undefined : decode(this.#space, this.#before);
  }

  get after(): Value {
    return this.#after === ABSENT ? undefined : decode(this.#space, this.#after);
  }
}
