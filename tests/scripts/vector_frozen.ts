/** The frozen log: a small history that uses every part of the format. */

import { encodeHead } from "../../core/log/head.ts";
import { MemoryStore } from "../../core/log/memory_store.ts";
import { Link, type Value } from "../../core/codec/value.ts";
import { Repo } from "../../core/repo/repo.ts";
import { Signer } from "../../core/identity/signer.ts";
import { toNotation } from "../suites/notation.ts";
import { sampleBytes } from "../suites/sample_bytes.ts";

const SEED = new Uint8Array(32).fill(0x5a);
const START_MS = Date.UTC(2024, 0, 1);

/** A log of format version 1: its head and blocks, and what must be read from it. */
export async function frozenLog() {
  const signer = await Signer.fromSeed("frozen", SEED);
  const store = new MemoryStore();
  let time = START_MS;
  const repo = await Repo.open(store, signer, { clock: () => time += 1000 });
  repo.set(scalars(signer));
  repo.publish({ type: "chat/text", text: "hello" }, { message: "the first event" });
  await repo.flush();
  const many = Object.fromEntries(Array.from({ length: 300 }, (_, i) => [`key${i}`, `text ${i}`]));
  repo.set("tree", many);
  repo.set("list", Array.from({ length: 200 }, (_, i) => [i, `element ${i}`]));
  await repo.flush();
  repo.set("large", { bytes: sampleBytes("hashed", 40_000), text: "é".repeat(17_000) });
  repo.delete("tree", "key7");
  repo.transaction((draft) => draft.splice(["list"], 50, 100), { message: "shorter" });
  await repo.flush();
  const head = repo.head!;
  const blocks: string[] = [];
  for await (const { bytes } of store.blocks(signer.key, 0, 0, head.blocks)) {
    blocks.push(bytes.toHex());
  }
  const records = [...repo.history()].reverse().map((
    { address, seq, time, message, hasEvent },
  ) => ({
    address,
    seq,
    time,
    message,
    hasEvent,
  }));
  const { large: _large, ...value } = repo.get() as Record<string, Value>;
  return {
    seed: SEED.toHex(),
    key: signer.key,
    head: encodeHead(head).toHex(),
    blocks,
    records,
    events: repo.events().map(({ value }) => toNotation(value)),
    first: toNotation(repo.at(0)!.get()),
    value: toNotation(value),
    large: { bytes: 40_000, text: 17_000 },
  };
}

function scalars({ key }: Signer): Value {
  return {
    nothing: null,
    missing: undefined,
    flags: [true, false],
    numbers: [0, 63, 64, -1, 2 ** 53 - 1, -0, 0.5, NaN, Infinity],
    bigints: [0n, -1n, 2n ** 70n],
    text: ["", "é", "\u{1f600}", "x".repeat(100)],
    dates: [new Date(0), new Date(START_MS)],
    bytes: [new Uint8Array(), new Uint8Array(100).fill(1)],
    links: [new Link(key), new Link(key, { seq: 1, path: ["list", 0] })],
    empty: [{}, []],
  };
}
