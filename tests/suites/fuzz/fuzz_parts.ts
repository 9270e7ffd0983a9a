/** Parts of logs, damaged: what is accepted has one form, and what is proven was signed. */

import assert from "node:assert/strict";
import { StreamoError } from "../../../core/errors.ts";
import { MemoryStore } from "../../../core/log/memory_store.ts";
import { checkProven, type ProvenBlocks } from "../../../core/log/source.ts";
import { StoreSource } from "../../../core/log/store_source.ts";
import type { VerifiedHead } from "../../../core/log/head.ts";
import { Repo } from "../../../core/repo/repo.ts";
import {
  decodeNewest,
  decodeProven,
  encodeNewest,
  encodeProven,
} from "../../../core/sync/proof_body.ts";
import { signerOf } from "../people.ts";
import type { RandomSource } from "../random.ts";
import { testCrypto } from "../test_log.ts";
import { mutate } from "./mutate.ts";

/** A log of 40 small blocks, and tries of answers about it. */
export async function partsTarget(): Promise<(random: RandomSource) => boolean> {
  const store = new MemoryStore();
  const repo = await Repo.open(store, await signerOf("writer"));
  for (let i = 0; i < 40; i++) {
    repo.set(`key${i}`, "x".repeat(i * 3));
    await repo.flush();
  }
  const head = repo.head!;
  const source = new StoreSource(store, testCrypto);
  const { address: root } = repo.snapshot.root as { address: number };
  const older = { ...head, blocks: 9, root: (await repo.log.rootAt(9))! };
  const newest = [await source.newest(repo.key, undefined), await source.newest(repo.key, older)];
  const parts: (ProvenBlocks | undefined)[] = [
    await source.blocks(head, 3, 20),
    await source.blockAt(head, 100),
    await source.blockAt(head, root, { kind: "value", root, path: [] }),
  ];
  const answers: [Uint8Array, (bytes: Uint8Array) => Uint8Array][] = [];
  for (const answer of newest) {
    answers.push([encodeNewest(answer!), (bytes) => encodeNewest(decodeNewest(bytes))]);
  }
  for (const part of parts) {
    const again = (bytes: Uint8Array) => encodeProven(checked(head, decodeProven(bytes)));
    answers.push([encodeProven(part!), again]);
  }
  return (random) => {
    const [bytes, again] = answers[random.integer(0, answers.length - 1)];
    const damaged = mutate(random, bytes);
    try {
      assert.deepStrictEqual(again(damaged), damaged);
    } catch (error) {
      if (error instanceof StreamoError) return false;
      throw error;
    }
    return true;
  };

  /** What is proven is what the log holds, wherever it came from. */
  function checked(head: VerifiedHead, proven: ProvenBlocks): ProvenBlocks {
    for (const { start, bytes } of checkProven(testCrypto, head, proven)) {
      const block = store.blockAtSync(head.key, 0, start)!;
      assert.deepStrictEqual([block.start, block.bytes], [start, bytes]);
    }
    return proven;
  }
}
