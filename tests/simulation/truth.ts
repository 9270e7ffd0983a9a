/**
 * The naive model: what was written, by whom, and what of it must be there at the end. It knows nothing
 * of logs, blocks or messages.
 */

import type { Path, Value } from "../../core/codec/value.ts";

/** One write of one device. */
export interface Write {
  /** The author, the device and its count: "alice.1.17". Written as the value itself. */
  readonly id: string;
  readonly author: string;
  readonly device: string;
  /** How many writes of the device came before. */
  readonly count: number;
  readonly kind: "set" | "delete" | "insert" | "remove" | "publish" | "line" | "pair";
  /** The key that it sets or deletes, or the list that it changes. */
  readonly place: string;
  /** What stood there before, as far as the device knew. */
  readonly saw: string | undefined;
  /** The number of the record when it was written, of an event. */
  seq?: number;
}

/** How sure a write is to last. */
export interface Standing {
  readonly write: Write;
  /** Whether the device has it on its own disk. */
  isDurable: boolean;
  /** Whether it has to be in every replica's past at the end, whatever happens to the device. */
  isSecured: boolean;
}

/** What an author's value and events are at the end. */
export interface Outcome {
  readonly value: Value;
  readonly events: readonly Value[];
}

/** All that was written under one author's key. */
export class Truth {
  readonly author: string;
  readonly #writes = new Map<string, Standing>();
  readonly #byDevice = new Map<string, Standing[]>();
  /** Events that a compaction has left out: they need not be there. */
  readonly #forgotten = new Set<string>();

  constructor(author: string) {
    this.author = author;
  }

  /** How many writes there are. */
  get size(): number {
    return this.#writes.size;
  }

  /** How many of them are secured. */
  get secured(): number {
    return [...this.#writes.values()].filter(({ isSecured }) => isSecured).length;
  }

  /** Notes a write and gives its id; to be written in the same tick. */
  add(device: string, what: Pick<Write, "kind" | "place" | "saw">): string {
    const own = this.#byDevice.get(device) ?? [];
    this.#byDevice.set(device, own);
    const count = own.length;
    const id = `${this.author}.${device}.${count}`;
    const write = { id, author: this.author, device, count, ...what };
    const standing = { write, isDurable: false, isSecured: false };
    own.push(standing);
    this.#writes.set(id, standing);
    return id;
  }

  /** How many writes of a device there are. */
  count(device: string): number {
    return this.#byDevice.get(device)?.length ?? 0;
  }

  /** The writes of a device from number `count` on. */
  since(device: string, count: number): Write[] {
    return this.#byDevice.get(device)?.slice(count).map(({ write }) => write) ?? [];
  }

  /** The same were not made. */
  takeBack(device: string, count: number): void {
    for (const { write } of this.#byDevice.get(device)?.splice(count) ?? []) {
      this.#writes.delete(write.id);
    }
  }

  /**
   * What a device has now: what is durable on it, and what its process has written, which began when
   * it had made `from` writes. Others were lost with the processes that made them, or not: who knows.
   */
  held(device: string, from: number): readonly Standing[] {
    const own = this.#byDevice.get(device) ?? [];
    return own.filter(({ write, isDurable }) => isDurable || write.count >= from);
  }

  /** What is durable on a device that is still there has to last. */
  settle(device: string): void {
    for (const standing of this.#byDevice.get(device) ?? []) {
      if (standing.isDurable) standing.isSecured = true;
    }
  }

  /** These events need not be in history any more. */
  forget(ids: Iterable<string>): void {
    for (const id of ids) this.#forgotten.add(id);
  }

  /**
   * A device has compacted up to record `seq`, and has the events `left`. Of its own the earlier ones
   * may be gone; of others' those that it had, which nobody knows for certain.
   */
  forgetBefore(device: string, seq: number, left: ReadonlySet<string>): void {
    for (const { write } of this.#writes.values()) {
      if (write.kind !== "publish" || left.has(write.id)) continue;
      if (write.device !== device || (write.seq ?? 0) < seq) this.#forgotten.add(write.id);
    }
  }

  /** The write of this id. */
  find(id: string): Write | undefined {
    return this.#writes.get(id)?.write;
  }

  /** What is wrong with `outcome`; nothing if every secured write is there or was overwritten. */
  faults({ value, events }: Outcome): string[] {
    return [
      ...this.#eventFaults(events),
      ...this.#listFaults(value),
      ...this.#keyFaults(value),
    ];
  }

  *#eventFaults(events: readonly Value[]): Generator<string> {
    const counts = countEach(events.map(String));
    for (const [id, count] of counts) {
      if (count > 1) yield `the event ${id} is there ${count} times`;
    }
    for (const { write, isSecured } of this.#writes.values()) {
      const { id, kind } = write;
      if (kind !== "publish" || !isSecured || this.#forgotten.has(id) || counts.has(id)) continue;
      yield `the event ${id} is lost`;
    }
  }

  *#listFaults(value: Value): Generator<string> {
    const list = (value as { list?: string[] })?.list ?? [];
    const counts = countEach(list);
    for (const [id, count] of counts) {
      if (count > 1) yield `the element ${id} is there ${count} times`;
    }
    for (const { write: { id, kind, place }, isSecured } of this.#writes.values()) {
      if (kind !== "insert" || place !== "list" || !isSecured || counts.has(id)) continue;
      yield `the element ${id} is lost`;
    }
  }

  /** Of each key: what stands there is no write that a secured one has overwritten. */
  *#keyFaults(value: Value): Generator<string> {
    const places = new Map<string, Standing[]>();
    for (const standing of this.#writes.values()) {
      const { kind, place } = standing.write;
      if (kind !== "set" && kind !== "delete") continue;
      const found = places.get(place) ?? [];
      found.push(standing);
      places.set(place, found);
    }
    for (const [place, standings] of places) {
      const found = idAt(value, place.split("/"));
      for (const { write, isSecured } of standings) {
        if (!isSecured || !this.#isOverwritten(found, write, standings)) continue;
        yield `${place} is ${found}, which ${write.kind} ${write.id} has overwritten`;
      }
    }
  }

  /** Whether `found` (undefined: nothing) is known to be older than `write`. */
  #isOverwritten(found: string | undefined, write: Write, standings: readonly Standing[]): boolean {
    if (found === undefined) {
      if (write.kind === "delete") return false;
      // Somebody must have deleted it after.
      return !standings.some(({ write: { kind, device, count } }) =>
        kind === "delete" && (device !== write.device || count > write.count)
      );
    }
    if (found === write.id) return false;
    const writer = this.find(found);
    if (writer === undefined) return true;
    if (writer.device === write.device) return writer.count < write.count;
    for (let saw = write.saw; saw !== undefined; saw = this.find(saw)?.saw) {
      if (saw === found) return true;
    }
    return false;
  }
}

/** The id in the value at a path; large values begin with theirs. */
export function idAt(value: Value, path: Path): string | undefined {
  let at = value as Record<string, Value> | undefined;
  for (const step of path) at = at?.[step] as Record<string, Value> | undefined;
  return at === undefined ? undefined : String(at).split(":", 1)[0];
}

function countEach(ids: Iterable<string>): Map<string, number> {
  const counts = new Map<string, number>();
  for (const id of ids) counts.set(id, (counts.get(id) ?? 0) + 1);
  return counts;
}
