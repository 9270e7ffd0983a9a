/** One process, from its start to its end. */

import type { Timer } from "../../core/platform.ts";
import type { Timeline } from "./timeline.ts";

/** After the end nothing of the process happens: no timer, no answer of a disk, no message. */
export class Life {
  /** The process's name and how often it was started. */
  readonly name: string;
  readonly #timeline: Timeline;
  #isOver = false;

  constructor(name: string, timeline: Timeline) {
    this.name = name;
    this.#timeline = timeline;
  }

  /** Whether it was killed, or has ended. */
  get isOver(): boolean {
    return this.#isOver;
  }

  /** Ends it at once. */
  end(): void {
    this.#isOver = true;
  }

  /** Timers of the process: they do not know of clocks that jump. */
  readonly timer: Timer = (callback, delayMs) => this.after(delayMs, callback);

  /** Calls `work` after some time, if the process still lives. */
  after(delayMs: number, work: () => void): () => void {
    return this.#timeline.after(delayMs, () => {
      if (!this.#isOver) work();
    });
  }
}
