/**
 * Runs that came while earlier ones were being stored, as one: a store takes many small blocks at once
 * in the time of one, and the last head is proof of them all.
 */

import type { Run } from "../log/run.ts";
import { type Frame, FRAME_FILL_BYTES, FRAME_MAX_BLOCKS } from "./frame.ts";

/** What the joined runs were, should they not be right together. */
const parts = new WeakMap<Run, readonly Run[]>();

/** The runs that `run` was joined from; undefined if it came as it is. */
export function partsOf(run: Run): readonly Run[] | undefined {
  return parts.get(run);
}

/** Runs that follow one another, as the frames that they came in. */
export class JoinedRuns {
  readonly #frames: Frame[] = [];
  #count = 0;
  #bytes = 0;

  /** Begins with `frame`. */
  constructor(frame: Frame) {
    this.#add(frame);
  }

  /** Takes `frame` too, if it goes on where these end and all of it fits in one frame. */
  join(frame: Frame): boolean {
    const last = this.#frames[this.#frames.length - 1];
    const follows = frame.head.epoch === last.head.epoch &&
      frame.head.blocks >= last.head.blocks && frame.first === last.first + last.count;
    if (!follows) return false;
    const isTooMuch = this.#count + frame.count > FRAME_MAX_BLOCKS ||
      this.#bytes + frame.blockBytes > FRAME_FILL_BYTES;
    if (!isTooMuch) this.#add(frame);
    return !isTooMuch;
  }

  /** All of them as one run. */
  whole(): Run {
    const runs = this.#frames.map((frame) => frame.run());
    const { first } = runs[0];
    const { head, proof } = runs[runs.length - 1];
    if (runs.length === 1) return runs[0];
    const whole: Run = { head, first, blocks: runs.flatMap(({ blocks }) => blocks), proof };
    parts.set(whole, runs);
    return whole;
  }

  #add(frame: Frame): void {
    this.#frames.push(frame);
    this.#count += frame.count;
    this.#bytes += frame.blockBytes;
  }
}
