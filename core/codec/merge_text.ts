/** Three-way merge of text by line (diff3: Khanna, Kunal and Pierce, FSTTCS 2007). */

import { align, regions } from "./align.ts";

/**
 * The text that holds the changes from `base` to both `mine` and `theirs`, or undefined if they
 * touch the same lines, or lines beside each other. Line endings and a missing last one are part of
 * the lines. Which side is called mine makes no difference.
 */
export function mergeText(mine: string, base: string, theirs: string): string | undefined {
  const numbers = new Map<string, number>();
  const [m, b, t] = [mine, base, theirs].map(splitLines);
  const [mineIds, baseIds, theirIds] = [m, b, t].map((lines) =>
    lines.map((line) => {
      const known = numbers.get(line);
      if (known === undefined) numbers.set(line, numbers.size);
      return known ?? numbers.size - 1;
    })
  );
  const parts: string[] = [];
  let at = 0;
  for (const region of regions(align(baseIds, mineIds), align(baseIds, theirIds))) {
    const fromMine = m.slice(region.mineStart, region.mineEnd).join("");
    const fromTheirs = t.slice(region.theirsStart, region.theirsEnd).join("");
    const isBoth = region.mine.length > 0 && region.theirs.length > 0;
    if (isBoth && fromMine !== fromTheirs) return undefined;
    parts.push(b.slice(at, region.start).join(""), region.mine.length > 0 ? fromMine : fromTheirs);
    at = region.end;
  }
  parts.push(b.slice(at).join(""));
  return parts.join("");
}

function splitLines(text: string): string[] {
  return text === "" ? [] : text.split(/(?<=\n)/);
}
