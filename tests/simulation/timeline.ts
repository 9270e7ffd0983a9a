/** Virtual time: what happens next, and nothing else. */

import { setImmediate } from "node:timers";

interface Event {
  readonly at: number;
  /** Of two events at one time the one that was asked for first comes first. */
  readonly order: number;
  readonly work: () => void;
  isCancelled: boolean;
}

/**
 * Runs events in the order of their virtual time. After each one every promise that it settled has had
 * its turn: nothing here waits for the machine, so a run depends on its seed alone.
 */
export class Timeline {
  readonly #heap: Event[] = [];
  readonly #onError: (error: unknown) => void;
  #now = 0;
  #order = 0;

  /** `onError` gets what an event throws. */
  constructor(onError: (error: unknown) => void) {
    this.#onError = onError;
  }

  /** Milliseconds since the beginning. */
  get now(): number {
    return this.#now;
  }

  /** How many events have been asked for. */
  get events(): number {
    return this.#order;
  }

  /** Calls `work` after some time; the result takes it back. */
  after(delayMs: number, work: () => void): () => void {
    const event = { at: this.#now + delayMs, order: this.#order++, work, isCancelled: false };
    this.#push(event);
    return () => void (event.isCancelled = true);
  }

  /** Runs everything up to `time`, or until `isDone`, which is looked at before every event. */
  async runUntil(time: number, isDone: () => boolean = () => false): Promise<void> {
    await settle();
    for (;;) {
      const next = this.#heap[0];
      if (next === undefined || next.at > time) break;
      if (isDone()) return;
      this.#pop();
      if (next.isCancelled) continue;
      this.#now = next.at;
      try {
        next.work();
      } catch (error) {
        this.#onError(error);
      }
      await settle();
    }
    this.#now = time;
  }

  #push(event: Event): void {
    const heap = this.#heap;
    let at = heap.push(event) - 1;
    while (at > 0) {
      const parent = (at - 1) >>> 1;
      if (isBefore(heap[parent], event)) break;
      heap[at] = heap[parent];
      at = parent;
    }
    heap[at] = event;
  }

  #pop(): void {
    const heap = this.#heap;
    const event = heap.pop()!;
    if (heap.length === 0) return;
    let at = 0;
    for (;;) {
      let child = 2 * at + 1;
      if (child >= heap.length) break;
      if (child + 1 < heap.length && isBefore(heap[child + 1], heap[child])) child++;
      if (isBefore(event, heap[child])) break;
      heap[at] = heap[child];
      at = child;
    }
    heap[at] = event;
  }
}

function isBefore(a: Event, b: Event): boolean {
  return a.at < b.at || a.at === b.at && a.order < b.order;
}

/** Pauses that code under test makes to let others have their turn: they take no virtual time. */
let pauses = 0;
const systemTimeout = globalThis.setTimeout;
globalThis.setTimeout = ((work: () => void, delayMs?: number) => {
  if (delayMs !== 0) return systemTimeout(work, delayMs);
  pauses++;
  setImmediate(() => {
    pauses--;
    work();
  });
  return 0;
}) as typeof setTimeout;

/** Resolves when no promise is left that could go on by itself. */
async function settle(): Promise<void> {
  do await new Promise<void>((resolve) => void setImmediate(resolve)); while (pauses > 0);
}
