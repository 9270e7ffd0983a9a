/**
 * Runs that came while earlier ones were being stored, as one: a store takes many small blocks at once
 * in the time of one, and the last head is proof of them all.
 */

import type { Run } from "../log/run.ts";
import { FRAME_FILL_BYTES, FRAME_MAX_BLOCKS } from "./frame.ts";

/** What the joined runs were, should they not be right together. */
const parts = new WeakMap<Run, readonly Run[]>();

/** The runs that `run` was joined from; undefined if it came as it is. */
export function partsOf(run: Run): readonly Run[] | undefined {
  return parts.get(run);
}

/** Runs that follow one another. */
export class JoinedRuns {
  readonly #runs: Run[];
  #count = 0;
  #bytes = 0;

  /** Begins with `run`. */
  constructor(run: Run) {
    this.#runs = [run];
    this.#add(run);
  }

  /** Takes `run` too, if it goes on where these end and all of it fits in one frame. */
  join(run: Run): boolean {
    const last = this.#runs[this.#runs.length - 1];
    const follows = run.head.epoch === last.head.epoch && run.head.blocks >= last.head.blocks &&
      run.first === last.first + last.blocks.length;
    if (!follows) return false;
    const count = this.#count + run.blocks.length;
    if (count > FRAME_MAX_BLOCKS || this.#bytes + bytesOf(run) > FRAME_FILL_BYTES) return false;
    this.#runs.push(run);
    this.#add(run);
    return true;
  }

  /** All of them as one run. */
  whole(): Run {
    const runs = this.#runs;
    const { first } = runs[0];
    const { head, proof } = runs[runs.length - 1];
    if (runs.length === 1) return runs[0];
    const whole: Run = { head, first, blocks: runs.flatMap(({ blocks }) => blocks), proof };
    parts.set(whole, runs);
    return whole;
  }

  #add(run: Run): void {
    this.#count += run.blocks.length;
    this.#bytes += bytesOf(run);
  }
}

function bytesOf({ blocks }: Run): number {
  return blocks.reduce((sum, { length }) => sum + length, 0);
}
