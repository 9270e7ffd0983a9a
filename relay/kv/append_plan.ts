/** What an append writes, decided before anything is written. */

import type { Block } from "../../core/log/block.ts";
import type { Mutation } from "./commits.ts";
import { blockKey, leafKey, type LogName, tileKey, tilesKey } from "./layout.ts";
import { encodeEntries, type Entry, TILE_ENTRIES } from "./tile.ts";

/** What is known before planning. */
export interface PlanInput {
  readonly log: LogName;
  /** The number of this append. */
  readonly append: Uint8Array;
  readonly blocks: readonly Block[];
  /** The entries of `blocks`. */
  readonly entries: readonly Entry[];
  /** Entries of the first changed tile before `entries`, unless its slots can stay as they are. */
  readonly kept: readonly Entry[];
}

/** Mutations by when they may happen. */
export interface AppendPlan {
  /** Under names that nothing points to yet: any time, in any number of commits. */
  readonly content: readonly Mutation[];
  /** What makes it count: in the one commit that swaps the head. */
  readonly final: readonly Mutation[];
  /** Number of tiles completed. */
  readonly tiles: number;
}

/** The plan of an append. */
export function planAppend(input: PlanInput): AppendPlan {
  const { log, append, blocks, entries, kept } = input;
  const content: Mutation[] = blocks.map((block) => ({
    key: blockKey(log, block.index, append),
    value: block.bytes,
  }));
  const final: Mutation[] = [];
  const all = [...kept, ...entries];
  let tiles = 0;
  for (let at = 0; at < all.length;) {
    const { index } = all[at];
    const slot = index % TILE_ENTRIES;
    const rest = all.slice(at, at + TILE_ENTRIES - slot);
    at += rest.length;
    if (slot === 0 && rest.length === TILE_ENTRIES) {
      const number = index / TILE_ENTRIES;
      content.push({ key: tileKey(log, number, append), value: encodeEntries(rest) });
      final.push({ key: tilesKey(log, number), value: append });
      tiles++;
      continue;
    }
    for (const entry of rest) {
      const key = leafKey(log, entry.index % TILE_ENTRIES);
      final.push({ key, value: encodeEntries([entry]) });
    }
  }
  return { content, final, tiles };
}
