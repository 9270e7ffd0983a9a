import assert from "node:assert/strict";
import { concat } from "../../../core/bytes.ts";
import { StreamoError } from "../../../core/errors.ts";
import { proveFork, verifyFork } from "../../../core/log/fork_proof.ts";
import { compareHeads, encodeHead, HEAD_BYTES, signHead } from "../../../core/log/head.ts";
import { MemoryStore } from "../../../core/log/memory_store.ts";
import { Proofs } from "../../../core/log/proofs.ts";
import { testCrypto as crypto, TestLog } from "../../suites/test_log.ts";

/** A log of `shared` blocks, and two branches of it. */
async function branches(shared: number, left: number, right: number): Promise<[TestLog, TestLog]> {
  const log = (await TestLog.create(1)).add(...Array(shared).fill(10));
  return [
    log.fork(shared, 2).add(...Array(left).fill(10)),
    log.fork(shared, 3).add(...Array(right).fill(20)),
  ];
}

/** The proof of whoever has stored `held` and gets `other` from block `from` on. */
async function prove(held: TestLog, other: TestLog, from: number): Promise<Uint8Array | undefined> {
  const store = new MemoryStore();
  if (held.blocks.length > 0) await held.putRun(store, 0);
  const proofs = new Proofs(store, held.key, held.epoch, crypto);
  const tail = { head: await other.head(), blocks: other.blocks.slice(from) };
  return await proveFork(crypto, { head: await held.head(), proofs }, tail);
}

const isCode = (code: string) => (error: unknown) =>
  error instanceof StreamoError && error.code === code;

Deno.test("whoever has stored one branch and gets another can prove it, wherever they part", async () => {
  for (const shared of [0, 1, 2, 5, 8, 300]) {
    for (const [left, right] of [[1, 1], [1, 4], [7, 2], [300, 1]]) {
      const [held, other] = await branches(shared, left, right);
      // Who sends the branch says where it parts, and may say a block before.
      for (const from of new Set([shared, Math.max(0, shared - 1), 0])) {
        const proof = await prove(held, other, from);
        const { won, lost, index } = await verifyFork(crypto, proof!);
        assert.equal(index, shared);
        const [first, second] = [await held.head(), await other.head()].sort(compareHeads);
        assert.deepStrictEqual([encodeHead(won), encodeHead(lost)], [
          encodeHead(first),
          encodeHead(second),
        ]);
      }
    }
  }
});

Deno.test("of two heads of which one extends the other nothing can be proved", async () => {
  const log = (await TestLog.create(1)).add(...Array(9).fill(10));
  const longer = log.fork(9, 2).add(10, 10);
  for (const from of [0, 5, 9]) {
    assert.equal(await prove(log, longer, from), undefined);
    assert.equal(await prove(longer, log, Math.min(from, 9)), undefined);
    assert.equal(await prove(log, log.fork(9, 3), from), undefined);
  }
});

Deno.test("no change of a proof is a proof", async () => {
  const [held, other] = await branches(5, 8, 3);
  const proof = (await prove(held, other, 5))!;
  for (let at = 0; at < proof.length; at++) {
    await assert.rejects(verifyFork(crypto, proof.with(at, proof[at] ^ 1)), StreamoError);
  }
  for (let length = 0; length < proof.length; length++) {
    await assert.rejects(verifyFork(crypto, proof.subarray(0, length)), isCode("malformed"));
  }
  await assert.rejects(
    verifyFork(crypto, concat([proof, proof.subarray(-32)])),
    isCode("malformed"),
  );
});

Deno.test("heads of two keys, of two epochs, and one that extends the other are no fork", async () => {
  const [held, other] = await branches(5, 8, 3);
  const proof = (await prove(held, other, 5))!;
  const lost = proof.subarray(HEAD_BYTES, 2 * HEAD_BYTES);
  const head = await other.head();
  const put = (bytes: Uint8Array, at: number) =>
    concat([proof.subarray(0, at), bytes, proof.subarray(at + bytes.length)]);
  const key = (await TestLog.create(9)).add(10);
  const foreign = encodeHead(await signHead({ ...head, key: key.key }, key.signer));
  await assert.rejects(verifyFork(crypto, put(foreign, HEAD_BYTES)), isCode("wrong_key"));
  const later = encodeHead(await signHead({ ...head, epoch: 1 }, other.signer));
  await assert.rejects(verifyFork(crypto, put(later, HEAD_BYTES)), isCode("malformed"));
  // The branch that wins, and a part of it.
  const part = encodeHead(await held.head(8));
  assert.equal(part.length, lost.length);
  await assert.rejects(verifyFork(crypto, put(part, HEAD_BYTES)), isCode("bad_block"));
});
