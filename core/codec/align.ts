/**
 * What two sequences have in common: a longest common subsequence (Hunt and Szymanski, CACM 1977),
 * found in O((n + r) log n) for r pairs of equal elements. Where r is out of hand (blank lines, zeros)
 * only rarer elements are anchors: the result is then right all the same, but may not be shortest.
 */

/** A place where two sequences differ: [aStart, aEnd) of one stands where [bStart, bEnd) of the other does. */
export interface Hunk {
  readonly aStart: number;
  readonly aEnd: number;
  readonly bStart: number;
  readonly bEnd: number;
}

/** Hunks of two sides over one base that touch, with what the region is on each side. */
export interface Region<H extends Hunk> {
  readonly start: number;
  readonly end: number;
  readonly mineStart: number;
  readonly mineEnd: number;
  readonly mine: readonly H[];
  readonly theirsStart: number;
  readonly theirsEnd: number;
  readonly theirs: readonly H[];
}

/** Pairs of equal elements that are looked at: each may cost 12 bytes and a binary search. */
const PAIRS_MAX = 2_000_000;
/** How often an element may pair up once there are too many pairs; 1 always fits. */
const PAIR_LIMITS = [Infinity, 64, 1];

/** Where `a` and `b` (numbers that stand for elements) differ, in order; hunks never touch. */
export function align(a: readonly number[], b: readonly number[]): Hunk[] {
  const hunks: Hunk[] = [];
  const add = (aStart: number, aEnd: number, bStart: number, bEnd: number) => {
    const hunk = trim(a, b, { aStart, aEnd, bStart, bEnd });
    if (hunk.aStart < hunk.aEnd || hunk.bStart < hunk.bEnd) hunks.push(hunk);
  };
  const whole = trim(a, b, { aStart: 0, aEnd: a.length, bStart: 0, bEnd: b.length });
  let { aStart, bStart } = whole;
  for (const [i, j] of commonPairs(a, b, whole)) {
    add(aStart, i, bStart, j);
    aStart = i + 1;
    bStart = j + 1;
  }
  add(aStart, whole.aEnd, bStart, whole.bEnd);
  return hunks;
}

/** The regions of the base that `mine`, `theirs` or both changed, in order. */
export function* regions<H extends Hunk>(
  mine: readonly H[],
  theirs: readonly H[],
): Generator<Region<H>> {
  let m = 0;
  let t = 0;
  while (m < mine.length || t < theirs.length) {
    const [firstMine, firstTheirs] = [m, t];
    const start = Math.min(mine[m]?.aStart ?? Infinity, theirs[t]?.aStart ?? Infinity);
    let end = start;
    for (;;) {
      // Touching is enough: what both put in one place must be put in order.
      if (m < mine.length && mine[m].aStart <= end) end = Math.max(end, mine[m++].aEnd);
      else if (t < theirs.length && theirs[t].aStart <= end) end = Math.max(end, theirs[t++].aEnd);
      else break;
    }
    yield {
      start,
      end,
      mineStart: start + shiftBefore(mine, firstMine),
      mineEnd: end + shiftBefore(mine, m),
      mine: mine.slice(firstMine, m),
      theirsStart: start + shiftBefore(theirs, firstTheirs),
      theirsEnd: end + shiftBefore(theirs, t),
      theirs: theirs.slice(firstTheirs, t),
    };
  }
}

/** How far what lies before hunk `index`, and after the one before it, has moved. */
function shiftBefore(hunks: readonly Hunk[], index: number): number {
  return index === 0 ? 0 : hunks[index - 1].bEnd - hunks[index - 1].aEnd;
}

/** `hunk` without what both sides begin and end with. */
function trim(a: readonly number[], b: readonly number[], hunk: Hunk): Hunk {
  let { aStart, aEnd, bStart, bEnd } = hunk;
  while (aStart < aEnd && bStart < bEnd && a[aStart] === b[bStart]) {
    aStart++;
    bStart++;
  }
  while (aStart < aEnd && bStart < bEnd && a[aEnd - 1] === b[bEnd - 1]) {
    aEnd--;
    bEnd--;
  }
  return { aStart, aEnd, bStart, bEnd };
}

/** Places of a common subsequence inside `hunk`, as long as the limits allow. */
function commonPairs(a: readonly number[], b: readonly number[], hunk: Hunk): [number, number][] {
  const places = anchors(a, b, hunk);
  // Of all common subsequences of length k + 1 so far: the smallest last place in b, and its pair.
  const lasts: number[] = [];
  const lastPairs: number[] = [];
  const pairA: number[] = [];
  const pairB: number[] = [];
  const before: number[] = [];
  for (let i = hunk.aStart; i < hunk.aEnd; i++) {
    const found = places.get(a[i]);
    if (found === undefined) continue;
    // From the last place back, so that no two pairs of one element of a follow each other.
    for (let n = found.length - 1; n >= 0; n--) {
      const j = found[n];
      const k = firstAtLeast(lasts, j);
      if (lasts[k] === j) continue;
      lasts[k] = j;
      lastPairs[k] = pairA.length;
      before.push(k === 0 ? -1 : lastPairs[k - 1]);
      pairA.push(i);
      pairB.push(j);
    }
  }
  const pairs: [number, number][] = [];
  for (let at = lastPairs[lastPairs.length - 1] ?? -1; at >= 0; at = before[at]) {
    pairs.push([pairA[at], pairB[at]]);
  }
  return pairs.reverse();
}

/** Places in b of the elements that may be paired. */
function anchors(a: readonly number[], b: readonly number[], hunk: Hunk): Map<number, number[]> {
  const counts = new Map<number, number>();
  for (let i = hunk.aStart; i < hunk.aEnd; i++) counts.set(a[i], (counts.get(a[i]) ?? 0) + 1);
  const places = new Map<number, number[]>();
  for (let j = hunk.bStart; j < hunk.bEnd; j++) {
    if (!counts.has(b[j])) continue;
    const found = places.get(b[j]);
    if (found === undefined) places.set(b[j], [j]);
    else found.push(j);
  }
  for (const limit of PAIR_LIMITS) {
    let pairs = 0;
    for (const [element, found] of places) {
      const product = found.length * counts.get(element)!;
      if (product > limit) places.delete(element);
      else pairs += product;
    }
    if (pairs <= PAIRS_MAX) break;
  }
  return places;
}

function firstAtLeast(sorted: readonly number[], value: number): number {
  let low = 0;
  let high = sorted.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (sorted[middle] < value) low = middle + 1;
    else high = middle;
  }
  return low;
}
