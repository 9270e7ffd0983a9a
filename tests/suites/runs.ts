/** Runs of blocks, as a peer would send them. */

import type { Log } from "../../core/log/log.ts";
import type { Run } from "../../core/log/run.ts";
import type { Repo } from "../../core/repo/repo.ts";

/** Blocks [first, end) of what `from` holds durably, with their proof. */
export async function runOf(
  from: Repo | Log,
  first: number,
  end: number = from.head!.blocks,
): Promise<Run> {
  const log = "log" in from ? from.log : from;
  const head = log.head!;
  const blocks: Uint8Array[] = [];
  for await (const { bytes } of log.blocks(first, end)) blocks.push(bytes);
  return { head, first, blocks, proof: await (await log.proofs()).right(first, end, head.blocks) };
}
