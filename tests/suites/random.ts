/** Random numbers that can be replayed: set STREAMO_SEED to the seed that a failure printed. */

/** A seeded source of integers. */
export interface RandomSource {
  /** "seed N": put it into every assertion's message. */
  readonly seed: string;
  /** An integer from `low` to `high`, both included. */
  integer(low: number, high: number): number;
}

/** A source with a fresh seed, or `STREAMO_SEED`. */
export function randomSource(
  seed: number = Number(Deno.env.get("STREAMO_SEED") ?? Math.floor(Math.random() * 2 ** 31)),
): RandomSource {
  let state = seed;
  const next = (): number => {
    // Mulberry32.
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
  return {
    seed: `STREAMO_SEED=${seed}`,
    integer: (low, high) => low + Math.floor(next() * (high - low + 1)),
  };
}
