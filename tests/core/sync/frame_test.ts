import assert from "node:assert/strict";
import { Writer } from "../../../core/codec/writer.ts";
import { StreamoError } from "../../../core/errors.ts";
import { BLOCK_MAX_BYTES } from "../../../core/log/block.ts";
import { encodeHead, HEAD_BYTES, signHead } from "../../../core/log/head.ts";
import type { Run } from "../../../core/log/run.ts";
import {
  decodeFrame,
  encodeFrame,
  FRAME_FILL_BYTES,
  FRAME_MAX_BLOCKS,
  FRAME_MAX_BYTES,
} from "../../../core/sync/frame.ts";
import { mutate } from "../../suites/mutate.ts";
import { signerOf } from "../../suites/people.ts";
import { randomSource } from "../../suites/random.ts";

const alice = await signerOf("alice");
const hash = (byte: number) => new Uint8Array(32).fill(byte);
const head = await signHead({
  key: alice.key,
  flags: 0,
  epoch: 0,
  blocks: 300,
  bytes: 90_000,
  record: 80_000,
  root: hash(9),
}, alice);
const run: Run = {
  head,
  first: 128,
  blocks: [new Uint8Array([1]), new Uint8Array(300).fill(2), new Uint8Array([3, 4])],
  proof: [hash(5), hash(6)],
};

/** A frame from its parts, right or wrong. */
function frame(parts: {
  type?: number;
  first?: number;
  count?: number;
  lengths?: number[];
  blocks?: Uint8Array[];
  proofCount?: number;
  proof?: Uint8Array[];
  after?: number[];
}): Uint8Array {
  const { type = 1, first = 0, lengths = [1], blocks = [new Uint8Array(1)], proof = [] } = parts;
  const writer = new Writer();
  writer.u8(type);
  writer.varint(0);
  writer.raw(encodeHead(head));
  writer.varint(first);
  writer.varint(parts.count ?? lengths.length);
  for (const length of lengths) writer.varint(length);
  for (const block of blocks) writer.raw(block);
  writer.varint(parts.proofCount ?? proof.length);
  for (const part of proof) writer.raw(part);
  writer.raw(new Uint8Array(parts.after ?? []));
  return writer.view().slice();
}

Deno.test("every frame comes back as it was sent", () => {
  const runs: Run[] = [
    run,
    { ...run, first: 2 ** 40, proof: [] },
    { ...run, blocks: [new Uint8Array(BLOCK_MAX_BYTES)] },
    { ...run, blocks: Array.from({ length: FRAME_MAX_BLOCKS }, () => new Uint8Array(1)) },
  ];
  for (const sent of runs) {
    for (const channel of [0, 127, 128, 2 ** 53 - 1]) {
      const found = decodeFrame(encodeFrame(channel, sent));
      assert.equal(found.channel, channel);
      assert.deepStrictEqual(found.run, { ...sent, head: { ...sent.head } });
    }
  }
});

Deno.test("a frame is laid out as the specification says", () => {
  const bytes = encodeFrame(200, run);
  assert.deepEqual([...bytes.subarray(0, 3)], [1, 0xc8, 0x01]);
  assert.deepEqual(bytes.subarray(3, 3 + HEAD_BYTES), encodeHead(head));
  const after = [...bytes.subarray(3 + HEAD_BYTES)];
  assert.deepEqual(after.splice(0, 7), [0x80, 0x01, 3, 1, 0xac, 0x02, 2]);
  assert.deepEqual(after.splice(0, 303), [1, ...Array(300).fill(2), 3, 4]);
  assert.deepEqual(after, [2, ...hash(5), ...hash(6)]);
});

Deno.test("a frame filled as far as senders fill it is not too large", () => {
  const blocks: Uint8Array[] = [];
  for (let bytes = 0; bytes < FRAME_FILL_BYTES; bytes += BLOCK_MAX_BYTES) {
    blocks.push(new Uint8Array(BLOCK_MAX_BYTES));
  }
  const proof = Array.from({ length: 53 }, () => hash(1));
  assert.ok(encodeFrame(2 ** 53 - 1, { ...run, blocks, proof }).length <= FRAME_MAX_BYTES);
});

Deno.test("every malformed form is named", () => {
  assert.doesNotThrow(() => decodeFrame(frame({})));
  const malformed: [string, Uint8Array][] = [
    ["nothing", new Uint8Array()],
    ["another type", frame({ type: 0 })],
    ["another type", frame({ type: 2 })],
    ["a cut head", frame({}).subarray(0, 100)],
    ["more lengths than there are", frame({ count: 3 })],
    ["more blocks than there are bytes", frame({ count: 8000 })],
    ["a block past the end", frame({ lengths: [60_000] })],
    ["a byte too many", frame({ after: [0] })],
    ["more hashes than there are", frame({ proofCount: 3, proof: [hash(1)] })],
    ["a cut hash", frame({ proofCount: 1, proof: [hash(1).subarray(1)] })],
    ["no proof count", frame({}).subarray(0, -1)],
  ];
  for (const [name, bytes] of malformed) {
    assert.throws(() => decodeFrame(bytes), { code: "malformed" }, name);
  }
  const large: [string, Uint8Array][] = [
    ["an empty block", frame({ lengths: [0], blocks: [] })],
    ["a large block", frame({ lengths: [BLOCK_MAX_BYTES + 1] })],
    ["too many blocks", frame({ count: FRAME_MAX_BLOCKS + 1 })],
    ["too many hashes", frame({ proofCount: 65 })],
    ["more than a frame", new Uint8Array(FRAME_MAX_BYTES + 1)],
    ["a block of 2^53 - 1", frame({ lengths: [2 ** 53 - 1] })],
  ];
  for (const [name, bytes] of large) {
    assert.throws(() => decodeFrame(bytes), { code: "too_large" }, name);
  }
});

Deno.test("10,000 damaged frames throw nothing but coded errors, and make nothing larger than they are", () => {
  const random = randomSource();
  const frames = [frame({}), encodeFrame(7, run), frame({ count: 8192 })];
  for (let i = 0; i < 10_000; i++) {
    const damaged = mutate(frames[random.integer(0, frames.length - 1)], random);
    try {
      const { run } = decodeFrame(damaged);
      const held = run.blocks.reduce((sum, { length }) => sum + length, run.proof.length * 32);
      assert.ok(held <= damaged.length, random.seed);
      for (const block of run.blocks) {
        assert.equal(block.buffer, damaged.buffer, "views, not copies");
      }
      const again = decodeFrame(encodeFrame(0, run)).run;
      assert.deepStrictEqual(again, run, random.seed);
    } catch (error) {
      if (!(error instanceof StreamoError)) throw new Error(random.seed, { cause: error });
      assert.match(error.code, /^(malformed|too_large)$/, random.seed);
    }
  }
});
