/** Changes before they are a record: each path to a change is written once, when they are settled. */

import type { Space } from "../codec/chunks.ts";
import { containerOf } from "../codec/container.ts";
import { decode } from "../codec/decode.ts";
import { editList, editMap, type MapEdit, type Splice } from "../codec/edit.ts";
import { encode } from "../codec/encode.ts";
import { nestingOf } from "../codec/nesting.ts";
import type { Node } from "../codec/node.ts";
import { DEPTH_MAX } from "../codec/tags.ts";
import { compareText } from "../codec/text.ts";
import {
  EMPTY_LIST,
  EMPTY_MAP,
  type Item,
  type Path,
  pathText,
  type Step,
  type Value,
} from "../codec/value.ts";
import { copyItem } from "./copy.ts";
import { ABSENT, childItem } from "../codec/find.ts";
import { Snapshot } from "./snapshot.ts";

/** Content that is in the log already but under no path yet: what `Repo.store` gives. */
export class Stored {
  /** @ignore */
  readonly space: Space;
  /** @ignore */
  readonly item: Item;

  /** @ignore */
  constructor(space: Space, item: Item) {
    this.space = space;
    this.item = item;
  }
}

/** Changes at one place: a new item (or none), and changes inside it. */
interface Patch {
  /** Replaces what is there; ABSENT deletes it; undefined leaves it. */
  base: { readonly item: Item | typeof ABSENT } | undefined;
  /** Made when there are some: most places change as a whole, and there may be a million. */
  inside: Map<Step, Patch> | undefined;
}

/** Elements that wait to be appended to a list: a run of pushes writes the list once. */
interface Tail {
  readonly path: Path;
  readonly list: Node;
  readonly items: Item[];
}

/** A value being changed: what `Repo.transaction` gives its function. */
export class Draft {
  readonly #space: Space;
  #root: Item;
  #patch = emptyPatch();
  /** Comes after all of `#patch`, which is empty while there is one. */
  #tail: Tail | undefined;

  /** Starts from `root`; chunks go to `space` at once, but nothing points to them until a record does. */
  constructor(space: Space, root: Item) {
    this.#space = space;
    this.#root = root;
  }

  /**
   * `set(value)` replaces the whole value; `set(...path, value)` what is at the path. Maps on the way
   * are made where there is nothing; an index may be the list's size: it appends.
   */
  set(...pathAndValue: [...Step[], unknown]): void {
    const path = pathAndValue.slice(0, -1) as Step[];
    checkPath(path);
    const patch = this.#reach(path);
    patch.base = { item: this.#item(pathAndValue[pathAndValue.length - 1], path) };
    patch.inside = undefined;
  }

  /** Sets what `change` makes of the value at the path. */
  update(...pathAndChange: [...Step[], (value: Value) => unknown]): void {
    const change = pathAndChange[pathAndChange.length - 1] as (value: Value) => unknown;
    const path = pathAndChange.slice(0, -1) as Step[];
    this.set(...path, change(this.get(...path)));
  }

  /** Deletes what is at the path: a key of a map, or an element (later ones move up). */
  delete(...path: Step[]): void {
    checkPath(path);
    const last = path[path.length - 1];
    if (typeof last === "number") return this.splice(path.slice(0, -1), last, 1);
    let patch = this.#reach(path);
    if (patch.base !== undefined || patch.inside !== undefined) {
      // What was set there has made the containers around it, and they stay.
      this.settle();
      patch = this.#reach(path);
    }
    patch.base = { item: path.length === 0 ? undefined : ABSENT };
    patch.inside = undefined;
  }

  /** In the list at `path`: removes `remove` elements from index `at` on and inserts `values` there. */
  splice(path: Path, at: number, remove = 0, ...values: unknown[]): void {
    checkPath(path);
    const list = this.#list(path);
    if (!Number.isInteger(at) || at < 0 || at > list.size) {
      throw new RangeError(
        `cannot splice ${pathText(path)} at ${at}: it has ${list.size} elements`,
      );
    }
    if (!Number.isInteger(remove) || remove < 0) {
      throw new RangeError(`cannot remove ${remove} elements of ${pathText(path)}`);
    }
    const insert = values.map((value, i) => this.#item(value, [...path, at + i]));
    if (remove === 0 && insert.length === 0 && list.size > 0) return;
    const splice: Splice = { at, remove: Math.min(remove, list.size - at), insert };
    this.#reach(path).base = { item: editList(this.#space, list, [splice]) };
  }

  /** Inserts `values` before the element at index `at`; at the list's size they are appended. */
  insert(path: Path, at: number, ...values: unknown[]): void {
    this.splice(path, at, 0, ...values);
  }

  /** Appends to the list at `path`, which is made if there is nothing. */
  push(path: Path, ...values: unknown[]): void {
    checkPath(path);
    const tail = this.#tailAt(path);
    const from = tail.list.size + tail.items.length;
    const items = values.map((value, i) => this.#item(value, [...path, from + i]));
    for (const item of items) tail.items.push(item);
    this.#tail = tail;
  }

  /** The value at `path`, with the changes so far. */
  get(...path: Step[]): Value {
    const item = this.#find(path);
    return item === ABSENT ? undefined : decode(this.#space, item);
  }

  /** Whether there is a value at `path`. */
  has(...path: Step[]): boolean {
    return this.#find(path) !== ABSENT;
  }

  /** Everything else that reads, with the changes so far. */
  snapshot(): Snapshot {
    return new Snapshot(this.#space, this.settle());
  }

  /** The root with all changes written. */
  settle(): Item {
    this.#writeTail();
    const patch = this.#patch;
    this.#patch = emptyPatch();
    const root = applyPatch(this.#space, this.#root, patch, []);
    this.#root = root === ABSENT ? undefined : root;
    return this.#root;
  }

  #item(value: unknown, path: Path): Item {
    if (!(value instanceof Stored)) return encode(this.#space, value, path);
    if (nestingOf(value.space, value.item) + path.length > DEPTH_MAX) {
      throw new TypeError(`cannot store ${pathText(path)}: values nest deeper than ${DEPTH_MAX}`);
    }
    if (value.space === this.#space) return value.item;
    return copyItem(value.space, value.item, this.#space, 0);
  }

  /** What is to be appended to the list at `path`. */
  #tailAt(path: Path): Tail {
    const { length } = path;
    const tail = this.#tail;
    if (tail?.path.length === length && tail.path.every((step, i) => step === path[i])) return tail;
    // Reads, and so writes what waits for another list.
    const list = this.#list(path);
    return { path: [...path], list, items: [] };
  }

  #writeTail(): void {
    if (this.#tail === undefined) return;
    const { path, list, items: insert } = this.#tail;
    this.#tail = undefined;
    if (insert.length === 0 && list.size > 0) return;
    const item = editList(this.#space, list, [{ at: list.size, remove: 0, insert }]);
    this.#reach(path).base = { item };
  }

  #reach(path: Path): Patch {
    this.#writeTail();
    let patch = this.#patch;
    for (const step of path) {
      patch.inside ??= new Map();
      let next = patch.inside.get(step);
      if (next === undefined) patch.inside.set(step, next = emptyPatch());
      patch = next;
    }
    return patch;
  }

  #find(path: Path): Item | typeof ABSENT {
    this.#writeTail();
    let patch: Patch | undefined = this.#patch;
    let item: Item | typeof ABSENT = this.#root;
    for (let i = 0;; i++) {
      if (patch?.base !== undefined) item = patch.base.item;
      if (i === path.length) break;
      if (item !== ABSENT) item = childItem(this.#space, item, path[i]);
      patch = patch?.inside?.get(path[i]);
    }
    if (patch?.inside === undefined) return item;
    return new Snapshot(this.#space, this.settle()).find(path);
  }

  #list(path: Path): Node {
    const item = this.#find(path);
    const list = item === ABSENT || item === undefined ? EMPTY_LIST : item;
    const node = containerOf(this.#space, list);
    if (node?.kind !== "list") {
      throw new TypeError(`cannot change elements of ${pathText(path)}: it is not a list`);
    }
    // Indices of earlier changes inside would not fit any more.
    this.settle();
    return node;
  }
}

function emptyPatch(): Patch {
  return { base: undefined, inside: undefined };
}

function checkPath(path: Path): void {
  if (path.length > DEPTH_MAX) {
    throw new TypeError(`a path of ${path.length} steps: values nest at most ${DEPTH_MAX} deep`);
  }
  for (const step of path) {
    if (typeof step === "string" || Number.isInteger(step) && step >= 0) continue;
    throw new TypeError(`a step of a path is a string or an index, not ${String(step)}`);
  }
}

function applyPatch(
  space: Space,
  item: Item | typeof ABSENT,
  patch: Patch,
  path: Path,
): Item | typeof ABSENT {
  if (patch.base !== undefined) item = patch.base.item;
  if (patch.inside === undefined) return item;
  const steps = [...patch.inside];
  const empty = typeof steps[0][0] === "number" ? EMPTY_LIST : EMPTY_MAP;
  const node = containerOf(space, item === ABSENT || item === undefined ? empty : item);
  if (node === undefined) {
    throw new TypeError(`cannot set inside ${pathText(path)}: it is a scalar`);
  }
  const changes: [Step, Item | typeof ABSENT][] = [];
  for (const [step, inner] of steps) {
    const place = [...path, step];
    if ((typeof step === "string") !== (node.kind === "map")) {
      throw new TypeError(`cannot set ${pathText(place)}: ${pathText(path)} is a ${node.kind}`);
    }
    const before = item === ABSENT ? ABSENT : childItem(space, item, step);
    const after = applyPatch(space, before, inner, place);
    // Not `!==`: 0 and -0 are two values.
    if (!Object.is(after, before)) changes.push([step, after]);
  }
  if (changes.length === 0) return item;
  if (node.kind === "map") return editMap(space, node, mapEdits(changes));
  return editList(space, node, listSplices(node, changes, path));
}

function mapEdits(changes: [Step, Item | typeof ABSENT][]): MapEdit[] {
  const edits = changes.map(([key, item]) => ({
    key: key as string,
    put: item !== ABSENT,
    item: item === ABSENT ? undefined : item,
  }));
  return edits.sort((a, b) => compareText(a.key, b.key));
}

function listSplices(
  node: Node,
  changes: [Step, Item | typeof ABSENT][],
  path: Path,
): Splice[] {
  const sorted = (changes as [number, Item][]).sort(([a], [b]) => a - b);
  const splices: Splice[] = [];
  const appended: Item[] = [];
  for (const [at, item] of sorted) {
    if (at < node.size) splices.push({ at, remove: 1, insert: [item] });
    else if (at === node.size + appended.length) appended.push(item);
    else {
      const size = node.size + appended.length;
      throw new RangeError(`cannot set ${pathText([...path, at])}: the list has ${size} elements`);
    }
  }
  if (appended.length > 0) splices.push({ at: node.size, remove: 0, insert: appended });
  return splices;
}
