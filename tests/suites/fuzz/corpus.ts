/** Real input to damage: a log with every kind of chunk, its heads, frames and messages. */

import { Space } from "../../../core/codec/chunks.ts";
import { Link, type Value } from "../../../core/codec/value.ts";
import { concat } from "../../../core/bytes.ts";
import { keyFromBytes } from "../../../core/identity/key.ts";
import { encodeHead } from "../../../core/log/head.ts";
import { MemoryStore } from "../../../core/log/memory_store.ts";
import type { Run } from "../../../core/log/run.ts";
import { Repo } from "../../../core/repo/repo.ts";
import { encodeFrame } from "../../../core/sync/frame.ts";
import { noise } from "../noise.ts";
import { signerOf } from "../people.ts";
import { reencode } from "../reencode.ts";
import { FlatChunks } from "./flat_chunks.ts";
import messages from "../../vectors/messages.json" with { type: "json" };

/** A log's bytes, and where in it what begins. */
export interface FuzzLog {
  readonly bytes: Uint8Array;
  /** Where chunks begin and end. */
  readonly chunks: readonly { readonly address: number; readonly length: number }[];
  /** Addresses of values. */
  readonly values: readonly number[];
  /** Addresses of records, oldest first. */
  readonly records: readonly number[];
}

const key = keyFromBytes(new Uint8Array(32).fill(9));

const VALUES: readonly Value[] = [
  [null, undefined, true, -0, NaN, 2 ** 52, -70, 1.5, 2n ** 90n, -5n, new Date(1), "é".repeat(40)],
  { text: "x".repeat(70), bytes: noise(3, 70), link: new Link(key, { seq: 300, path: ["a", 7] }) },
  Object.fromEntries(Array.from({ length: 400 }, (_, i) => [`person/${i}`, { i, even: i % 2 }])),
  Array.from({ length: 500 }, (_, i) => i % 7 ? i : `element ${i} and more`),
  { deep: [[[{ a: { b: [[], {}, [{}]] } }]]] },
  { large: noise(1, 50_000) },
  { text: "öß".repeat(12_000) },
  { ["k".repeat(4000)]: 1, ["l".repeat(4000)]: [2] },
];

/** A log of values and records, and where its chunks are. */
export async function fuzzLog(): Promise<FuzzLog> {
  const repo = await Repo.open(new MemoryStore(), await signerOf("writer"));
  const values: number[] = [];
  VALUES.forEach((value, seq) => {
    repo.transaction((draft) => draft.set(value), { message: seq % 3 === 1 ? "why" : "" });
    values.push(repo.snapshot.stat()!.address!);
    if (seq % 2) repo.publish({ event: seq });
  });
  await repo.flush();
  const blocks: Uint8Array[] = [];
  for await (const { bytes } of repo.log.blocks(0, repo.head!.blocks)) blocks.push(bytes);
  const bytes = concat(blocks);
  const records = [...repo.history()].map(({ address }) => address).reverse();
  return { bytes, chunks: scan(bytes), values, records };
}

/** Chunks tell their own length: a log is read from front to back. */
function scan(bytes: Uint8Array): FuzzLog["chunks"] {
  const space = new Space(new FlatChunks(bytes));
  const chunks: { address: number; length: number }[] = [];
  for (let address = 0; address < bytes.length;) {
    const { length } = reencode(space, address);
    chunks.push({ address, length });
    address += length;
  }
  return chunks;
}

/** A repo of several heads, its runs, frames and heads. */
export async function fuzzRepo(): Promise<
  { repo: Repo; heads: Uint8Array[]; frames: Uint8Array[] }
> {
  const repo = await Repo.open(new MemoryStore(), await signerOf("writer"));
  const heads: Uint8Array[] = [];
  const frames: Uint8Array[] = [];
  for (let i = 0; i < 6; i++) {
    for (let j = 0; j <= i; j++) repo.set(`key${i}`, j, "x".repeat(i * 10));
    await repo.flush();
    heads.push(encodeHead(repo.head!));
    frames.push(encodeFrame(i * 100, await runOf(repo, 0, i + 1)));
    frames.push(encodeFrame(1, await runOf(repo, i >>> 1, (i >>> 1) + 1)));
  }
  return { repo, heads, frames };
}

async function runOf({ log }: Repo, first: number, end: number): Promise<Run> {
  const head = log.head!;
  const blocks: Uint8Array[] = [];
  for await (const { bytes } of log.blocks(first, end)) blocks.push(bytes);
  return { head, first, blocks, proof: await (await log.proofs()).right(first, end, head.blocks) };
}

/** Control messages of every type. */
export function fuzzMessages(): string[] {
  return messages.valid;
}
