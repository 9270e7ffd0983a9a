/** What came for a channel and waits to be worked on, one after the other, in bounded memory. */

import { StreamoError } from "../errors.ts";
import type { Run } from "../log/run.ts";
import { FRAME_MAX_BYTES } from "./frame.ts";
import { JoinedRuns } from "./joined_runs.ts";
import { WINDOW_BYTES } from "./send_window.ts";

/** What may wait: two windows, as a peer may start over once. */
const MAX_BYTES = 2 * (WINDOW_BYTES + FRAME_MAX_BYTES);
/** Counted for a message that waits, besides its own length. */
const MESSAGE_BYTES = 256;

/** Work in the order in which it came. Runs that follow one another become one while they wait. */
export class Inbox {
  readonly #run: (work: () => Promise<void>) => void;
  readonly #onFull: (error: StreamoError) => void;
  #bytes = 0;
  /** The last runs that wait, if nothing came after them. */
  #joined: JoinedRuns | undefined;

  /** `run` does one thing after the other; `onFull` hears when a peer sends more than it may. */
  constructor(run: (work: () => Promise<void>) => void, onFull: (error: StreamoError) => void) {
    this.#run = run;
    this.#onFull = onFull;
  }

  /** Takes a message of so many bytes. */
  message(bytes: number, work: () => Promise<void>): void {
    this.#joined = undefined;
    this.#queue(bytes + MESSAGE_BYTES, work);
  }

  /** Takes a run of so many bytes; `work` may get it together with those after it. */
  run(run: Run, bytes: number, work: (run: Run) => Promise<void>): void {
    if (this.#joined?.join(run)) return this.#queue(bytes, () => Promise.resolve());
    const joined = this.#joined = new JoinedRuns(run);
    this.#queue(bytes, () => {
      if (this.#joined === joined) this.#joined = undefined;
      return work(joined.whole());
    });
  }

  #queue(bytes: number, work: () => Promise<void>): void {
    this.#bytes += bytes;
    if (this.#bytes > MAX_BYTES) {
      const message = "more unacknowledged blocks than the window allows";
      return this.#onFull(new StreamoError("too_large", message));
    }
    this.#run(() => {
      this.#bytes -= bytes;
      return work();
    });
  }
}
