/** Three-way merge of text by line. */

import { diff3Merge } from "node-diff3";

/** Matching pairs of lines past which a merge could take seconds: both versions are kept instead. */
const MAX_PAIRS = 5_000_000;

/**
 * The text that holds the changes from `base` to both `ours` and `theirs`, or undefined if they
 * touch the same lines or are too large. Line endings and a missing last one are part of the lines.
 */
export function mergeText(ours: string, base: string, theirs: string): string | undefined {
  const [a, o, b] = [splitLines(ours), splitLines(base), splitLines(theirs)];
  if (countPairs(o, a) > MAX_PAIRS || countPairs(o, b) > MAX_PAIRS) return undefined;
  let merged = "";
  for (const region of diff3Merge(a, o, b, { excludeFalseConflicts: true })) {
    if (region.ok === undefined) return undefined;
    merged += region.ok.join("");
  }
  return merged;
}

function splitLines(text: string): string[] {
  return text === "" ? [] : text.split(/(?<=\n)/);
}

/** How many pairs of equal lines `a` and `b` have: what the comparison has to look at. */
function countPairs(a: readonly string[], b: readonly string[]): number {
  const counts = new Map<string, number>();
  for (const line of a) counts.set(line, (counts.get(line) ?? 0) + 1);
  let pairs = 0;
  for (const line of b) pairs += counts.get(line) ?? 0;
  return pairs;
}
