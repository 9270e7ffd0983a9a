/** One thing after the other. */

/** Runs pieces of asynchronous work in the order in which they were asked for. */
export class Serial {
  #last: Promise<unknown> = Promise.resolve();
  #runs = 0;
  #ended = 0;

  /** How many pieces of work there were. */
  get runs(): number {
    return this.#runs;
  }

  /** Whether all of them have ended. */
  get isIdle(): boolean {
    return this.#runs === this.#ended;
  }

  /** Runs `work` after everything before it, whether that succeeded or not. */
  run<T>(work: () => Promise<T>): Promise<T> {
    this.#runs++;
    const result = this.#last.then(work, work);
    const end = () => void this.#ended++;
    this.#last = result.then(end, end);
    return result;
  }
}
