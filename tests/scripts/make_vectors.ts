/**
 * Makes tests/vectors/*.json from SPEC's own code: what is valid, with its bytes, and what is not, with
 * one cause each. Everything follows from fixed inputs, so a second run writes the same files. The
 * frozen log is written only where it is missing: software must read it as it once was.
 * Run with `deno run -RW tests/scripts/make_vectors.ts`.
 */

import { existsSync } from "node:fs";
import { Space } from "../../core/codec/chunks.ts";
import { hashBytes } from "../../core/codec/builder.ts";
import { cutPiece } from "../../core/codec/cdc.ts";
import { encode } from "../../core/codec/encode.ts";
import { writeScalar } from "../../core/codec/write_scalar.ts";
import type { Item, Value } from "../../core/codec/value.ts";
import { Writer } from "../../core/codec/writer.ts";
import { writeRecord } from "../../core/repo/write_record.ts";
import { MemoryChunks } from "../suites/memory_chunks.ts";
import { toNotation } from "../suites/notation.ts";
import {
  badFrames,
  badHeads,
  frames,
  heads,
  merkle,
  messages,
  MESSAGES_BAD,
} from "./vector_logs.ts";
import {
  CONTAINERS,
  CONTAINERS_BAD,
  LARGE_BAD,
  RECORDS,
  RECORDS_BAD,
  SCALARS,
  SCALARS_BAD,
  VARINTS,
  VARINTS_BAD,
} from "./vector_inputs.ts";
import { badClaims, casts, CASTS_BAD, claims } from "./vector_presence.ts";
import { badForks, forks } from "./vector_forks.ts";
import { lists, parts } from "./vector_parts.ts";
import { proofs } from "./vector_proofs.ts";
import { frozenLog } from "./vector_frozen.ts";
import { sampleBytes } from "../suites/sample_bytes.ts";

const FOLDER = new URL("../vectors/", import.meta.url);

function varint(value: number): string {
  const writer = new Writer();
  writer.varint(value);
  return writer.view().toHex();
}

function scalar(item: Item): string {
  const writer = new Writer();
  writeScalar(writer, item);
  return writer.view().toHex();
}

/** The chunks that `value` becomes in an empty log, and the item that stands for it. */
function written(value: Value) {
  const chunks = new MemoryChunks();
  const item = encode(new Space(chunks), value);
  return { item: scalar(item), chunks: [...chunks.byAddress.values()].map((c) => c.toHex()) };
}

function hashes() {
  return ["", "00", "6b6579", "ff".repeat(40)].flatMap((hex) =>
    [0, 1, 5].map((height) => {
      const bytes = Uint8Array.fromHex(hex);
      return { bytes: hex, height, hash: hashBytes(bytes, 0, bytes.length, height) >>> 0 };
    })
  );
}

function pieces({ kind, length }: { kind: "zeros" | "hashed"; length: number }) {
  const bytes = sampleBytes(kind, length);
  const lengths: number[] = [];
  for (let at = 0; at < length; at += lengths[lengths.length - 1]) {
    lengths.push(cutPiece(bytes, at, length));
  }
  const { item, chunks } = written(bytes);
  const nodes = chunks.filter((chunk) => chunk.startsWith("92"));
  return { kind, length, pieces: lengths, nodes, item: length > 32_768 ? item : undefined };
}

function record({ name, address, citesItem, ...content }: typeof RECORDS[number]) {
  const chunks = new MemoryChunks();
  const space = new Space(chunks);
  let hex = "";
  writeRecord(space, { ...content, citesItem }, (chunk) => {
    hex = chunk.toHex();
    return address;
  });
  const items = { root: scalar(content.root), event: scalar(content.event) };
  return { name, address, ...content, ...items, cites: scalar(citesItem), hex };
}

async function write(name: string, content: unknown): Promise<void> {
  await Deno.writeTextFile(
    new URL(`${name}.json`, FOLDER),
    JSON.stringify(content, null, 1) + "\n",
  );
}

if (import.meta.main) {
  await write("varints", {
    valid: VARINTS.map((value) => ({ value, hex: varint(value) })),
    invalid: VARINTS_BAD,
  });
  await write("scalars", {
    valid: SCALARS.map((value) => ({ value: toNotation(value), hex: scalar(value) })),
    invalid: SCALARS_BAD,
  });
  await write("containers", {
    hashes: hashes(),
    valid: CONTAINERS.map(({ name, value }) => ({
      name,
      value: toNotation(value),
      ...written(value),
    })),
    invalid: CONTAINERS_BAD,
  });
  await write("large", {
    valid: [
      { kind: "hashed", length: 0 } as const,
      { kind: "hashed", length: 4096 } as const,
      { kind: "hashed", length: 32_768 } as const,
      { kind: "hashed", length: 32_769 } as const,
      { kind: "hashed", length: 1_000_000 } as const,
      { kind: "zeros", length: 100_000 } as const,
    ].map(pieces),
    invalid: LARGE_BAD,
  });
  await write("records", { valid: RECORDS.map(record), invalid: RECORDS_BAD });
  const tree = merkle();
  await write("merkle", tree);
  await write("proofs", proofs(tree.leaves.map((leaf) => Uint8Array.fromHex(leaf))));
  await write("heads", { valid: await heads(), invalid: await badHeads() });
  await write("forks", { valid: await forks(), invalid: await badForks() });
  await write("frames", { valid: await frames(), invalid: await badFrames() });
  await write("messages", { valid: await messages(), invalid: MESSAGES_BAD });
  await write("parts", await parts());
  await write("lists", lists());
  await write("claims", { valid: await claims(), invalid: await badClaims() });
  await write("casts", { valid: casts(), invalid: CASTS_BAD });
  if (!existsSync(new URL("log_1.json", FOLDER))) await write("log_1", await frozenLog());
}
