/** Devices of one person for tests of epochs, and what passes between them. */

import type { Value } from "../../../core/codec/value.ts";
import { MemoryStore } from "../../../core/log/memory_store.ts";
import type { Run } from "../../../core/log/run.ts";
import type { Store } from "../../../core/log/store.ts";
import type { Key } from "../../../core/identity/key.ts";
import type { RepoOptions } from "../../../core/repo/options.ts";
import { Repo } from "../../../core/repo/repo.ts";
import { signerOf } from "../../suites/people.ts";

/** Whose repos these are. */
export const alice = await signerOf("alice");

/** All that `repo` has, in runs of at most `most` blocks. */
export async function runsOf({ log }: Repo, most = Infinity, from = 0): Promise<Run[]> {
  const head = log.head!;
  const runs: Run[] = [];
  for (let first = from; first < head.blocks;) {
    const end = Math.min(head.blocks, first + most);
    const blocks: Uint8Array[] = [];
    for await (const { bytes } of log.blocks(first, end)) blocks.push(bytes);
    const proof = await (await log.proofs()).right(first, end, head.blocks);
    runs.push({ head, first, blocks, proof });
    first = end;
  }
  return runs;
}

/** Gives `to` what `from` has and it has not; `false` if the logs are of one epoch and fork. */
export async function give(from: Repo, to: Repo, most?: number): Promise<void> {
  const start = from.log.epoch === to.log.epoch ? to.log.length : 0;
  for (const run of await runsOf(from, most, start)) await to.receive(run, from);
}

export async function device(
  options?: RepoOptions,
  store: Store = new MemoryStore(),
): Promise<Repo> {
  return await Repo.open(store, alice, options);
}

/** Two devices that have the same ten records. */
export async function twoDevices(options?: RepoOptions): Promise<[Repo, Repo]> {
  const [a, b] = [await device(options), await device(options)];
  for (let i = 0; i < 10; i++) {
    a.set(`k${i}`, i);
    a.publish({ i });
    await a.flush();
  }
  await give(a, b);
  return [a, b];
}

export function events(repo: Repo): Value[] {
  return repo.events().map(({ value }) => value);
}

export async function epochsIn(store: Store, key: Key): Promise<number[]> {
  const found: number[] = [];
  for (let epoch = 0; epoch < 5; epoch++) {
    if (await store.blockAt(key, epoch, 0) !== undefined) found.push(epoch);
  }
  return found;
}

/** Of all kinds and shapes: large text and bytes, trees, nesting, what is shared. */
export function richValue() {
  const shared = { x: [1, 2, 3], y: "z".repeat(100) };
  const bytes = Uint8Array.from({ length: 300_000 }, (_, i) => (i * i) >>> 3);
  return {
    scalars: [null, undefined, true, -0, NaN, 1n << 70n, new Date(5), "é".repeat(40)],
    bytes,
    text: "line\n".repeat(20_000),
    map: Object.fromEntries(Array.from({ length: 1000 }, (_, i) => [`key ${i}`, { i, shared }])),
    list: Array.from({ length: 500 }, (_, i) => i % 7 === 0 ? [i, shared] : i),
    empty: [{}, [], ""],
  };
}
