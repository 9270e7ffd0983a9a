/**
 * Damaged input into every decoder. Nothing but a StreamoError may come out; what is accepted has one
 * form; a reader looks at no more chunks than its budget allows.
 */

import assert from "node:assert/strict";
import { Space } from "../../../core/codec/chunks.ts";
import type { Budget } from "../../../core/codec/decode.ts";
import { Ref, type Value } from "../../../core/codec/value.ts";
import { equal } from "../../../core/bytes.ts";
import { StreamoError } from "../../../core/errors.ts";
import { decodeHead, encodeHead, verifyHead } from "../../../core/log/head.ts";
import { MemoryStore } from "../../../core/log/memory_store.ts";
import { Draft } from "../../../core/repo/draft.ts";
import { readRecord } from "../../../core/repo/record.ts";
import { Repo } from "../../../core/repo/repo.ts";
import { Snapshot } from "../../../core/repo/snapshot.ts";
import { decodeFrame, encodeFrame, FRAME_MAX_BYTES } from "../../../core/sync/frame.ts";
import { decodeMessage, encodeMessage } from "../../../core/sync/messages.ts";
import type { RandomSource } from "../random.ts";
import { reencode } from "../reencode.ts";
import { testCrypto } from "../test_log.ts";
import { type FuzzLog, fuzzLog, fuzzMessages, fuzzRepo } from "./corpus.ts";
import { FlatChunks } from "./flat_chunks.ts";
import { partsTarget } from "./fuzz_parts.ts";
import { mutate, mutateText, overwrite } from "./mutate.ts";

/** What one read may decode here. */
const BUDGET: Required<Budget> = { elements: 5000, bytes: 2 ** 20 };
/** Chunks that a read within {@link BUDGET} looks at, at most: each element is one, and its parts. */
const MAX_READS = 4 * BUDGET.elements;

/** Tries one damaged input; whether it was accepted. */
export type Target = (random: RandomSource) => boolean | Promise<boolean>;

/** Every decoder, with input of its own. */
export async function fuzzTargets(): Promise<Readonly<Record<string, Target>>> {
  const log = await fuzzLog();
  const { repo, heads, frames } = await fuzzRepo();
  const messages = fuzzMessages();
  const pick = <T>(random: RandomSource, list: readonly T[]) =>
    list[random.integer(0, list.length - 1)];
  return {
    chunks: (random) => fuzzChunk(random, log),
    values: (random) => fuzzValues(random, log),
    records: (random) => fuzzRecord(random, log),
    edits: (random) => fuzzEdits(random, log),
    heads: (random) => fuzzHead(mutate(random, pick(random, heads)), heads),
    frames: (random) => fuzzFrame(mutate(random, pick(random, frames))),
    runs: (random) => fuzzRun(random, pick(random, frames), repo),
    parts: await partsTarget(),
    messages: (random) => fuzzMessage(mutateText(random, pick(random, messages))),
  };
}

/** One chunk, cut out and damaged: what is accepted is written again as it was. */
function fuzzChunk(random: RandomSource, log: FuzzLog): boolean {
  const { address, length } = log.chunks[random.integer(0, log.chunks.length - 1)];
  const chunk = mutate(random, log.bytes.subarray(address, address + length));
  // At its own address: references back stay what they are.
  const bytes = new Uint8Array(address + chunk.length);
  bytes.set(chunk, address);
  return accepts(() => {
    const again = reencode(new Space(new FlatChunks(bytes)), address);
    assert.deepStrictEqual(again, chunk.subarray(0, again.length));
  });
}

/** Everything that reads values, over a damaged log. */
function fuzzValues(random: RandomSource, log: FuzzLog): boolean {
  const chunks = new FlatChunks(damaged(random, log));
  const snapshot = new Snapshot(new Space(chunks), new Ref(someValue(random, log)));
  const limit = 200;
  const reads: (() => unknown)[] = [
    () => measure(snapshot.value([], BUDGET)),
    () => [...snapshot.keys([], { limit, prefix: random.integer(0, 1) ? "person/1" : "" })],
    () => [...snapshot.addresses([], { limit, start: "person/2", reverse: true })],
    () => [...snapshot.stats([], { limit })],
    () => take(snapshot.elements([], { start: random.integer(0, 400) }), limit),
    () => [snapshot.stat("person/77", "i"), snapshot.get("deep", 0, 0), snapshot.get(250)],
    () => snapshot.size("large"),
    () => takeBytes(snapshot, ["large"], random.integer(0, 60_000)),
    () => takeBytes(snapshot, ["text"], random.integer(0, 60_000)),
  ];
  let accepted = true;
  for (const read of reads) {
    chunks.allow(MAX_READS);
    accepted = accepts(read, TypeError) && accepted;
  }
  return accepted;
}

/** One record: what is accepted is written again as it was. */
function fuzzRecord(random: RandomSource, log: FuzzLog): boolean {
  const address = log.records[random.integer(0, log.records.length - 1)];
  const length = log.chunks.find((chunk) => chunk.address === address)!.length;
  const bytes = overwrite(random, log.bytes, address, address + length);
  return accepts(() => {
    const space = new Space(new FlatChunks(bytes));
    readRecord(space, address);
    const again = reencode(space, address);
    assert.deepStrictEqual(again, bytes.subarray(address, address + again.length));
  });
}

/** Changes of a damaged value. */
function fuzzEdits(random: RandomSource, log: FuzzLog): boolean {
  const chunks = new FlatChunks(damaged(random, log));
  const space = new Space(chunks);
  const root = new Ref(someValue(random, log));
  const edits: ((draft: Draft) => void)[] = [
    (draft) => draft.set(`person/${random.integer(0, 500)}`, "new"),
    (draft) => draft.delete(`person/${random.integer(0, 500)}`),
    (draft) => draft.splice([], random.integer(0, 400), random.integer(0, 20), 1, 2, 3),
    (draft) => draft.set("deep", 0, 0, 0, "a", "c", []),
  ];
  let accepted = true;
  for (const edit of edits) {
    chunks.allow(MAX_READS);
    const change = () => {
      const draft = new Draft(space, root);
      edit(draft);
      new Snapshot(space, draft.settle()).value([], BUDGET);
    };
    accepted = accepts(change, TypeError, RangeError) && accepted;
  }
  return accepted;
}

async function fuzzHead(bytes: Uint8Array, real: readonly Uint8Array[]): Promise<boolean> {
  let isVerified = false;
  const decoded = accepts(() => assert.deepStrictEqual(encodeHead(decodeHead(bytes)), bytes));
  if (!decoded) return false;
  const head = decodeHead(bytes);
  await verifyHead(head, head.key, testCrypto).then(
    () => isVerified = true,
    (error) => assert(error instanceof StreamoError, String(error)),
  );
  // Nobody but the signer makes a head.
  assert.equal(isVerified, real.some((other) => equal(other, bytes)));
  return isVerified;
}

function fuzzFrame(bytes: Uint8Array): boolean {
  return accepts(() => {
    const { channel, run } = decodeFrame(bytes);
    assert(bytes.length <= FRAME_MAX_BYTES);
    assert.deepStrictEqual(encodeFrame(channel, run), bytes);
  });
}

/** A reader takes nothing but what was signed, and a run that it refuses changes nothing. */
async function fuzzRun(random: RandomSource, frame: Uint8Array, from: Repo): Promise<boolean> {
  let run: ReturnType<typeof decodeFrame>["run"] | undefined;
  accepts(() => run = decodeFrame(mutate(random, frame)).run);
  if (run === undefined) return false;
  const reader = await Repo.open(new MemoryStore(), from.key);
  const { blocks, first } = run;
  let accepted = true;
  await reader.receive(run).catch((error) => {
    if (!(error instanceof StreamoError)) throw error;
    accepted = false;
  });
  assert.equal(reader.log.length, accepted ? first + blocks.length : 0);
  let index = 0;
  for await (const { bytes } of from.log.blocks(0, accepted ? reader.log.length : 0)) {
    assert.deepStrictEqual(blocks[index++], bytes);
  }
  return accepted;
}

function fuzzMessage(text: string): boolean {
  return accepts(() => {
    const message = decodeMessage(text);
    assert.deepStrictEqual(decodeMessage(encodeMessage(message)), message);
  });
}

/** Whether `work` gets through; anything but a StreamoError (or one of `others`) is thrown on. */
function accepts(work: () => unknown, ...others: readonly (new () => Error)[]): boolean {
  try {
    work();
    return true;
  } catch (error) {
    if (error instanceof StreamoError) return false;
    // A stack that overflows is a RangeError as well.
    const isOverflow = error instanceof RangeError && /stack/.test(error.message);
    if (!isOverflow && others.some((other) => error instanceof other)) return false;
    throw error;
  }
}

function damaged(random: RandomSource, { bytes, chunks }: FuzzLog): Uint8Array {
  const { address, length } = chunks[random.integer(0, chunks.length - 1)];
  return overwrite(random, bytes, address, address + Math.min(length, 200));
}

function someValue(random: RandomSource, { values, chunks }: FuzzLog): number {
  if (random.integer(0, 9) > 0) return values[random.integer(0, values.length - 1)];
  return chunks[random.integer(0, chunks.length - 1)].address;
}

/** Counts what was decoded, each object once: it must be within the budget. */
function measure(value: Value): void {
  const seen = new Set<unknown>();
  let elements = 0;
  const visit = (part: Value): void => {
    elements++;
    if (typeof part !== "object" || part === null || seen.has(part)) return;
    seen.add(part);
    if (part instanceof Uint8Array) return assert(part.length <= BUDGET.bytes);
    for (const name of Object.keys(part)) visit((part as Record<string, Value>)[name]);
  };
  visit(value);
  assert(elements <= 2 * BUDGET.elements, `${elements} elements`);
}

function take<T>(items: Iterable<T>, limit: number): T[] {
  const taken: T[] = [];
  for (const item of items) {
    taken.push(item);
    if (taken.length === limit) break;
  }
  return taken;
}

function takeBytes(snapshot: Snapshot, path: string[], start: number): void {
  let left = BUDGET.bytes;
  for (const part of snapshot.content(path, { start })) {
    left -= part.length;
    if (left < 0) return;
  }
}
