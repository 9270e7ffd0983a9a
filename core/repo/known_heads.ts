/** What a branch has of others: it begins with it, or has merged it. */

import { equal } from "../bytes.ts";
import type { Head } from "../log/head.ts";
import type { Log } from "../log/log.ts";
import { rootOf } from "../log/merkle.ts";
import type { Position } from "../log/run.ts";
import type { Branch } from "./branch.ts";
import { takenSince } from "./cited_since.ts";
import { epochStart } from "./epoch_start.ts";

/** Whether `branch` has all that a head of an earlier epoch covers, or nothing tells. */
export async function covers(branch: Branch, head: Head): Promise<boolean> {
  const start = await epochStart(branch);
  if (start === undefined || !start.ends.some(({ epoch }) => epoch === head.epoch)) return true;
  return (await takenSince(branch, start.record.address, [head])).length > 0;
}

/** Whether all that `head` covers is in `branch`, or was merged into it past `sharedBytes`. */
export async function knows(branch: Branch, head: Head, sharedBytes: number): Promise<boolean> {
  const { epoch } = branch.log;
  if (head.epoch > epoch) return false;
  if (head.epoch < epoch) return await covers(branch, head);
  return await hasPrefix(branch.log, head) ||
    (await takenSince(branch, sharedBytes, [head])).length > 0;
}

/** Whether `log` begins with all that a head of it covers. */
export async function hasPrefix(log: Log, { epoch, blocks, root }: Position): Promise<boolean> {
  if (epoch !== log.epoch || blocks > (log.newest?.blocks ?? 0)) return false;
  const { frontier } = await log.extentAt(blocks);
  return equal(rootOf(log.crypto, frontier), root);
}
