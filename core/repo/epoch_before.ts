/** The log of an epoch that was compacted here, until others have the next one. */

import { equal } from "../bytes.ts";
import { untilThere } from "../codec/chunks.ts";
import { scanChunks } from "../codec/scan.ts";
import { StreamoError } from "../errors.ts";
import type { Log } from "../log/log.ts";
import { rootOf } from "../log/merkle.ts";
import { Branch } from "./branch.ts";
import type { CitedHead } from "./cited_heads.ts";
import { type EpochStart, epochStart } from "./epoch_start.ts";
import { readRecord } from "./record.ts";

/** A log, and how its epoch began. */
export interface Link {
  readonly branch: Branch;
  readonly start: EpochStart | undefined;
}

/** `branch` and the logs that its epochs came from, the newest first, as far as its store has them. */
export async function chainOf(branch: Branch): Promise<Link[]> {
  const chain: Link[] = [];
  for (let at: Branch | undefined = branch; at !== undefined;) {
    const link: Link = { branch: at, start: await epochStart(at) };
    chain.push(link);
    at = link.start && await epochBefore(at.log, link.start.ends[0]);
  }
  return chain;
}

/** The log that ended with `end`, if the store of `log`, which is a later one, has it still. */
async function epochBefore(
  log: Log,
  { epoch, blocks, root }: CitedHead,
): Promise<Branch | undefined> {
  try {
    const branch = new Branch(await log.branch(blocks, epoch));
    const { frontier } = await branch.log.extentAt(blocks);
    if (!equal(rootOf(log.crypto, frontier), root)) return undefined;
    const address = await newestRecord(branch.log);
    if (address !== undefined) {
      branch.record = await untilThere(() => readRecord(branch.space, address));
    }
    return branch;
  } catch (error) {
    if (error instanceof StreamoError && error.code === "missing_block") return undefined;
    throw error;
  }
}

/** Where the last record of `log` is: nothing points to it. A log that was compacted ends close to one. */
async function newestRecord(log: Log): Promise<number | undefined> {
  for (let index = log.length - 1; index >= 0; index--) {
    for await (const { bytes, start } of log.blocks(index, index + 1)) {
      const last = [...scanChunks(bytes)].findLast(({ isRecord }) => isRecord);
      if (last !== undefined) return start + last.start;
    }
  }
  return undefined;
}
