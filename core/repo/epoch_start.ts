/** The record with which an epoch begins. */

import { untilThere } from "../codec/chunks.ts";
import type { Branch } from "./branch.ts";
import { type CitedHead, citedHeads } from "./cited_heads.ts";
import { loadHistory } from "./load_history.ts";
import type { LogRecord } from "./record.ts";

/** Its message. */
export const MESSAGE = "compact";

/** The record that begins an epoch, after those that were kept. */
export interface EpochStart {
  readonly record: LogRecord;
  /** Where the epochs before ended, the last one first, and what they had taken in. */
  readonly ends: readonly CitedHead[];
}

/** The record with which the epoch of `branch` begins; undefined in a log that was never compacted. */
export async function epochStart(branch: Branch): Promise<EpochStart | undefined> {
  const { space, record, log } = branch;
  if (log.epoch === 0 || record === undefined) return undefined;
  for await (const found of loadHistory(branch, { after: record.first - 1 })) {
    // Merges cite heads of earlier epochs too, with fewer marks.
    if (found.message !== MESSAGE || found.citesItem === undefined) continue;
    const cited = await untilThere(() => citedHeads(space, found.citesItem));
    const ends = cited.filter(isMarked);
    if (ends[0]?.epoch === log.epoch - 1) return { record: found, ends };
  }
  return undefined;
}

/** Whether a citation has the marks by which any prefix of what was taken in can be told. */
export function isMarked({ marks }: CitedHead): boolean {
  return marks !== undefined;
}
