/** What happened in a run, as lines: the last ones are shown on failure, all of them make a hash. */

const TAIL_LINES = 400;

/** Notes lines with their virtual time. */
export class Trace {
  readonly #now: () => number;
  readonly #isShown: boolean;
  readonly #tail: string[] = [];
  #count = 0;
  // Two 32-bit FNV-1a hashes with different bases.
  #a = 0x811c9dc5;
  #b = 0x9747b28c;

  /** `now` gives the virtual time; with `isShown` every line is printed at once. */
  constructor(now: () => number, isShown: boolean) {
    this.#now = now;
    this.#isShown = isShown;
  }

  /** Notes that `who` did, or met, something. */
  note(who: string, what: string): void {
    const line = `${this.#now().toFixed(2)} ${who}: ${what}`;
    for (let i = 0; i < line.length; i++) {
      const code = line.charCodeAt(i);
      this.#a = Math.imul(this.#a ^ code, 0x01000193);
      this.#b = Math.imul(this.#b ^ code, 0x01000193) ^ (this.#b >>> 15);
    }
    if (this.#isShown) console.log(line);
    this.#tail[this.#count++ % TAIL_LINES] = line;
  }

  /** Equal for equal runs. */
  get hash(): string {
    const [a, b] = [this.#a, this.#b].map((n) => (n >>> 0).toString(16).padStart(8, "0"));
    return `${this.#count}-${a}${b}`;
  }

  /** The last `count` lines. */
  tail(count: number): string[] {
    const lines = Math.min(count, this.#count, TAIL_LINES);
    return Array.from(
      { length: lines },
      (_, i) => this.#tail[(this.#count - lines + i) % TAIL_LINES],
    );
  }
}
