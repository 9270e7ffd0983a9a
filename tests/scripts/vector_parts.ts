/** Vectors of SPEC 11.8 and 11.14: parts of logs with their proofs, and lists of logs. */

import { writeU32 } from "../../core/bytes.ts";
import { keyFromBytes } from "../../core/identity/key.ts";
import { proveConsistency } from "../../core/log/consistency_proof.ts";
import { encodeHead } from "../../core/log/head.ts";
import { leafHash } from "../../core/log/merkle.ts";
import { proveRuns } from "../../core/log/range_proof.ts";
import type { Position } from "../../core/log/run.ts";
import type { ProvenBlocks } from "../../core/log/source.ts";
import { encodeKeys, encodeList, hashKeys, Stands } from "../../core/sync/lists.ts";
import { encodePart } from "../../core/sync/parts.ts";
import { encodeNewest, encodeProven } from "../../core/sync/proof_body.ts";
import { testCrypto, TestLog } from "../suites/test_log.ts";
import type { Bad } from "./vector_inputs.ts";

/** The id of the question that each part answers. */
const ID = 300;

interface Case {
  readonly name: string;
  readonly proven: ProvenBlocks;
}

/** Blocks [from, to) of each of `ranges` out of the first `size` blocks of `log`. */
function proven(log: TestLog, ranges: readonly [number, number][]): ProvenBlocks {
  const leaves = log.blocks.map(({ start, bytes }) => leafHash(testCrypto, start, bytes));
  const runs = ranges.map(([first, end]) => ({
    first,
    start: log.bytes(first),
    blocks: log.blocks.slice(first, end).map(({ bytes }) => bytes),
  }));
  return { runs, proof: proveRuns(testCrypto, leaves, ranges) };
}

/** Answers with parts of one log of seven blocks, and what is none. */
export async function parts() {
  const log = (await TestLog.create(1)).add(5, 6, 7, 8, 9, 10, 11);
  const head = await log.head();
  const leaves = log.blocks.map(({ start, bytes }) => leafHash(testCrypto, start, bytes));
  const good = proven(log, [[1, 3], [5, 6]]);
  const blocks: Case[] = [
    { name: "the first block", proven: proven(log, [[0, 1]]) },
    { name: "two runs", proven: good },
    { name: "the end", proven: proven(log, [[4, 7]]) },
    { name: "the whole log", proven: proven(log, [[0, 7]]) },
  ];
  const newest = [
    { name: "for who has nothing", held: 0, extension: [], end: proven(log, [[6, 7]]) },
    {
      name: "for who has three blocks",
      held: 3,
      extension: proveConsistency(testCrypto, leaves, 3),
      end: proven(log, [[5, 7]]),
    },
    { name: "for who has it", held: 7, extension: [], end: undefined },
  ];
  return {
    id: ID,
    head: encodeHead(head).toHex(),
    blocks: blocks.map(({ name, proven }) => ({
      name,
      runs: runsText(proven),
      proof: proven.proof.map((hash) => hash.toHex()),
      hex: encodePart(ID, encodeProven(proven)).toHex(),
    })),
    newest: await Promise.all(newest.map(async ({ name, held, extension, end }) => ({
      name,
      held: held === 0 ? null : encodeHead(await log.head(held)).toHex(),
      hex: encodePart(ID, encodeNewest({ head, extension, end })).toHex(),
    }))),
    invalid: badParts(good),
  };
}

function runsText({ runs }: ProvenBlocks) {
  return runs.map(({ first, start, blocks }) => ({
    first,
    start,
    blocks: blocks.map((block) => block.toHex()),
  }));
}

function badParts(good: ProvenBlocks): Bad[] {
  const body = encodeProven(good).toHex();
  const [one, two] = good.runs;
  const part = (name: string, change: Partial<ProvenBlocks>, code = "bad_block"): Bad => ({
    name,
    hex: encodeProven({ ...good, ...change }).toHex(),
    code,
  });
  return [
    { name: "a byte too many", hex: body + "00", code: "malformed" },
    { name: "a byte too few", hex: body.slice(0, -2), code: "malformed" },
    { name: "an empty block", hex: "01" + "01" + "05" + "01" + "00" + "00", code: "too_large" },
    { name: "1,025 runs", hex: "8108", code: "too_large" },
    { name: "8,193 hashes", hex: "00" + "8140", code: "too_large" },
    part("a hash too few", { proof: good.proof.slice(1) }),
    part("a hash too many", { proof: [...good.proof, good.proof[0]] }),
    part("runs that touch", {
      runs: [{ ...one, blocks: one.blocks.slice(0, 1) }, {
        first: one.first + 1,
        start: one.start + one.blocks[0].length,
        blocks: one.blocks.slice(1),
      }, two],
    }),
    part("runs in another order", { runs: [two, one] }),
    part("a run at another address", { runs: [{ ...one, start: one.start + 1 }, two] }),
    part("a second block at address 0", { runs: [{ ...one, start: 0 }, two] }),
    part("a block of another log", {
      runs: [{ ...one, blocks: one.blocks.toReversed() }, two],
    }),
  ];
}

/** What both sides of a list have, and the frames that follow from it. */
export function lists() {
  const keys = Array.from({ length: 33 }, (_, i) => {
    const bytes = new Uint8Array(4);
    writeU32(bytes, 0, i);
    return keyFromBytes(testCrypto.sha256(bytes));
  }).sort();
  const position = (blocks: number): Position => ({
    epoch: blocks % 3,
    blocks,
    root: testCrypto.sha256(new Uint8Array([blocks])),
  });
  // What has no position is not there; what is null is not to be compared.
  const opener = keys.map((_, i) => i === 7 ? null : { position: i === 3 ? null : position(i) });
  const answerer = opener.map((stand, i) =>
    i === 5 ? { position: position(50) } : i === 32 ? { position: null } : stand
  );
  const fill = (side: "opener" | "answerer", all: typeof opener) => {
    const stands = new Stands(testCrypto, all.length, side);
    all.forEach((stand, i) => stand && stands.set(i, stand.position ?? undefined));
    return stands;
  };
  const asked = fill("opener", opener);
  const text = (all: typeof opener) =>
    all.map((stand) => {
      if (!stand?.position) return stand;
      const { root, ...rest } = stand.position;
      return { position: { ...rest, root: root.toHex() } };
    });
  return {
    keys,
    opener: text(opener),
    answerer: text(answerer),
    differing: [5, 7, 32],
    frames: {
      list: encodeList(hashKeys(testCrypto, keys), asked).toHex(),
      keys: encodeKeys(keys).toHex(),
      compared: fill("answerer", answerer).compare(asked.groups()).toHex(),
    },
    invalid: [
      { name: "half a hash", hex: "02" + "00".repeat(16), code: "malformed" },
      { name: "half a fingerprint", hex: "02" + "00".repeat(40), code: "malformed" },
      { name: "half a key", hex: "03" + "00".repeat(16), code: "malformed" },
      { name: "a key twice", hex: "03" + "00".repeat(64), code: "malformed" },
      {
        name: "keys out of order",
        hex: encodeKeys(keys.slice(0, 2).toReversed()).toHex(),
        code: "malformed",
      },
    ],
  };
}
