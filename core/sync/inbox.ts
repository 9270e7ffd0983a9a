/** What came for a channel and waits to be worked on, one after the other, in bounded memory. */

import { StreamoError } from "../errors.ts";
import type { Run } from "../log/run.ts";
import { type Frame, FRAME_MAX_BYTES } from "./frame.ts";
import { JoinedRuns } from "./joined_runs.ts";
import { WINDOW_BYTES } from "./send_window.ts";
import type { Waiting } from "./waiting.ts";

/** What may wait: two windows, as a peer may start over once. */
const MAX_BYTES = 2 * (WINDOW_BYTES + FRAME_MAX_BYTES);
/** Counted for a message that waits, besides its own length. */
const MESSAGE_BYTES = 256;

/** A message, or frames that are worked on together. */
interface Entry {
  bytes: number;
  count: number;
  readonly frames?: JoinedRuns;
}

/** Work in the order in which it came. Runs that follow one another become one while they wait. */
export class Inbox {
  readonly #run: (work: () => Promise<void>) => void;
  readonly #waiting: Waiting;
  readonly #entries = new Set<Entry>();
  #bytes = 0;
  #last: Entry | undefined;

  /** `run` does one thing after the other; `waiting` counts for the whole connection. */
  constructor(run: (work: () => Promise<void>) => void, waiting: Waiting) {
    this.#run = run;
    this.#waiting = waiting;
  }

  /** Takes a message of so many bytes; `too_large` if a peer sends more than it may. */
  message(bytes: number, work: () => Promise<void>): void {
    const entry = { bytes: 0, count: 0 };
    this.#queue(entry, work);
    this.#count(entry, bytes + MESSAGE_BYTES);
  }

  /** Takes a frame, likewise; `work` may get its run together with those after it. */
  frame(frame: Frame, work: (run: Run) => Promise<void>): void {
    const { length } = frame.bytes;
    if (this.#last?.frames?.join(frame)) return this.#count(this.#last, length);
    const frames = new JoinedRuns(frame);
    const entry = { bytes: 0, count: 0, frames };
    this.#queue(entry, () => work(frames.whole()));
    this.#count(entry, length);
  }

  /** Forgets all that waits: nobody works on it any more. */
  end(): void {
    for (const entry of this.#entries) this.#drop(entry);
  }

  #queue(entry: Entry, work: () => Promise<void>): void {
    this.#last = entry;
    this.#entries.add(entry);
    this.#run(() => {
      this.#drop(entry);
      return work();
    });
  }

  #count(entry: Entry, bytes: number): void {
    entry.bytes += bytes;
    entry.count++;
    this.#bytes += bytes;
    this.#waiting.take(bytes);
    if (this.#bytes <= MAX_BYTES) return;
    throw new StreamoError("too_large", "more unacknowledged blocks than the window allows");
  }

  #drop(entry: Entry): void {
    if (!this.#entries.delete(entry)) return;
    if (this.#last === entry) this.#last = undefined;
    this.#bytes -= entry.bytes;
    this.#waiting.give(entry.bytes, entry.count);
  }
}
