/** Measuring: rates, medians, and the table that they end up in. */

/** What a row is held against: something simpler that cannot be undercut, measured in the same run. */
export interface Limit {
  readonly name: string;
  readonly value: number;
  readonly unit: string;
}

/** The number of DESIGN section 11. */
export interface Reach {
  readonly value: number;
  /** Whether less is better: bytes, milliseconds. */
  readonly atMost?: boolean;
}

/** One line of the table. */
export interface Row {
  readonly name: string;
  readonly value: number;
  readonly unit: string;
  readonly limit?: Limit;
  readonly reach?: Reach;
}

const WIDTHS = [50, 16, 36, 7, 0];

/** Takes rows and prints each as it comes; runs work often enough for a median. */
export class Bench {
  /** A smoke run: everything small and once. */
  readonly quick: boolean;
  readonly #print: (line: string) => void;

  /** Rows go to `print`. */
  constructor(quick: boolean, print: (line: string) => void) {
    this.quick = quick;
    this.#print = print;
    this.#line(["row", "measured", "limit in the same run", "ratio", "DESIGN section 11"]);
  }

  /** `full`, or `quick` in a smoke run. */
  size(full: number, quick: number): number {
    return this.quick ? quick : full;
  }

  /** Adds a row. */
  row({ name, value, unit, limit, reach }: Row): void {
    this.#line([
      name,
      `${short(value)} ${unit}`,
      limit === undefined ? "" : `${limit.name}: ${short(limit.value)} ${limit.unit}`,
      limit === undefined ? "" : (value / limit.value).toFixed(3),
      reach === undefined || this.quick ? "" : verdict(value, unit, reach),
    ]);
  }

  /** The median of what `work` gives, after a warm-up. */
  async median(runs: number, work: () => number | Promise<number>): Promise<number> {
    if (this.quick) return await work();
    await work();
    const found: number[] = [];
    for (let i = 0; i < runs; i++) found.push(await work());
    return found.sort((a, b) => a - b)[runs >>> 1];
  }

  /** The median rate of `work`, which does `count` things at a time. */
  rate(count: number, runs: number, work: () => unknown): Promise<number> {
    return this.median(runs, async () => count / await seconds(work));
  }

  #line(cells: readonly string[]): void {
    this.#print(cells.map((cell, i) => cell.padEnd(WIDTHS[i])).join("  ").trimEnd());
  }
}

/** How long `work` takes. */
export async function seconds(work: () => unknown): Promise<number> {
  const start = performance.now();
  const pending = work();
  if (pending instanceof Promise) await pending;
  return Math.max(1e-6, (performance.now() - start) / 1000);
}

/** Bytes that do not repeat and do not compress. */
export function randomBytes(length: number, seed: number): Uint8Array<ArrayBuffer> {
  const words = new Uint32Array(Math.ceil(length / 4));
  let state = seed | 1;
  for (let i = 0; i < words.length; i++) {
    // Xorshift (Marsaglia 2003).
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    words[i] = state;
  }
  return new Uint8Array(words.buffer, 0, length);
}

/** `bytes` as a stream of pieces of 64 KiB. */
export function streamOf(bytes: Uint8Array): ReadableStream<Uint8Array> {
  let at = 0;
  return new ReadableStream({
    pull(controller) {
      if (at >= bytes.length) return controller.close();
      controller.enqueue(bytes.subarray(at, at += 65_536));
    },
  });
}

function short(value: number): string {
  if (value >= 100) return Math.round(value).toLocaleString("en");
  return String(Number(value.toPrecision(3)));
}

function verdict(value: number, unit: string, { value: bound, atMost = false }: Reach): string {
  const reached = atMost ? value <= bound : value >= bound;
  const sign = atMost ? "at most" : "at least";
  return `${reached ? "reached" : "MISSED"} (${sign} ${short(bound)} ${unit})`;
}
