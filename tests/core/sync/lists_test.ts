import assert from "node:assert/strict";
import { concat } from "../../../core/bytes.ts";
import { StreamoError } from "../../../core/errors.ts";
import { type Key, keyFromBytes } from "../../../core/identity/key.ts";
import { Registry } from "../../../core/repo/registry.ts";
import { MemoryStore } from "../../../core/log/memory_store.ts";
import type { Position } from "../../../core/log/run.ts";
import { KnownLists } from "../../../core/sync/known_lists.ts";
import {
  decodeListFrame,
  encodeKeys,
  encodeList,
  hashKeys,
  LIST_MAX,
  Stands,
} from "../../../core/sync/lists.ts";
import { mutate } from "../../suites/mutate.ts";
import { randomSource } from "../../suites/random.ts";
import { testCrypto } from "../../suites/test_log.ts";

const keysOf = (count: number): Key[] =>
  Array.from(
    { length: count },
    (_, i) => keyFromBytes(testCrypto.sha256(new Uint8Array([i, i >> 8]))),
  )
    .sort();
const positionOf = (blocks: number): Position => ({
  epoch: 0,
  blocks,
  root: new Uint8Array(32).fill(blocks),
});

/** The stands of one side: `blocks` of each key, 0 for none, undefined if it is not to be compared. */
function standsOf(side: "opener" | "answerer", blocks: readonly (number | undefined)[]): Stands {
  const stands = new Stands(testCrypto, blocks.length, side);
  blocks.forEach((count, i) => {
    if (count !== undefined) stands.set(i, count === 0 ? undefined : positionOf(count));
  });
  return stands;
}

/** The keys that an opener finds to differ. */
function difference(mine: readonly (number | undefined)[], theirs: typeof mine): number[] {
  const opener = standsOf("opener", mine);
  const answer = standsOf("answerer", theirs).compare(opener.groups());
  const frame = decodeListFrame(answer);
  assert(frame?.type === "compared");
  return [...opener.differing(frame.body)];
}

Deno.test("the keys that differ are found, and no others, whatever the number of keys", () => {
  const random = randomSource();
  for (const count of [1, 31, 32, 33, 255, 256, 257, 1000]) {
    const mine = Array.from({ length: count }, () => random.integer(0, 3));
    const theirs = mine.map((blocks) => random.integer(0, 9) === 0 ? (blocks + 1) % 4 : blocks);
    const expected = mine.flatMap((blocks, i) => blocks === theirs[i] ? [] : [i]);
    assert.deepStrictEqual(difference(mine, theirs), expected, random.seed);
    assert.deepStrictEqual(difference(mine, mine), []);
    const all = mine.map((blocks) => blocks + 1);
    assert.equal(difference(mine, all).length, count);
  }
});

Deno.test("what either side does not compare never looks equal", () => {
  assert.deepStrictEqual(difference([undefined, undefined, 1], [undefined, 1, undefined]), [
    0,
    1,
    2,
  ]);
});

Deno.test("changes of several logs do not cancel each other out", () => {
  // Two logs that have swapped their heads: every sum over both is the same.
  assert.deepStrictEqual(difference([1, 2], [2, 1]), [0, 1]);
});

Deno.test("another epoch, or another root over as many blocks, differs", () => {
  const opener = new Stands(testCrypto, 2, "opener");
  const answerer = new Stands(testCrypto, 2, "answerer");
  opener.set(0, positionOf(3));
  answerer.set(0, { ...positionOf(3), epoch: 1 });
  opener.set(1, positionOf(3));
  answerer.set(1, { ...positionOf(3), root: new Uint8Array(32) });
  const answer = answerer.compare(opener.groups());
  assert.deepStrictEqual([...opener.differing(answer.subarray(1))], [0, 1]);
});

Deno.test("list frames are laid out as the specification says", () => {
  const keys = keysOf(33);
  const stands = standsOf("opener", keys.map(() => 1));
  const hash = hashKeys(testCrypto, keys);
  const list = encodeList(hash, stands);
  const stand = concat([new Uint8Array([0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1]), positionOf(1).root]);
  const group = testCrypto.sha256(...Array(32).fill(stand)).subarray(0, 16);
  const last = testCrypto.sha256(stand).subarray(0, 16);
  assert.deepStrictEqual(list, concat([new Uint8Array([2]), hash, group, last]));
  const frame = encodeKeys(keys);
  assert.equal(frame.length, 1 + 33 * 32);
  assert.deepStrictEqual(hash, testCrypto.sha256(frame));
  assert.deepStrictEqual(decodeListFrame(frame), { type: "keys", keys });
  const other = standsOf("answerer", keys.map((_, i) => i === 32 ? 2 : 1));
  const print = testCrypto.sha256(stand.with(11, 2).fill(2, 12)).subarray(0, 16);
  assert.deepStrictEqual(
    other.compare(stands.groups()),
    concat([new Uint8Array([4, 0b10]), print]),
  );
});

Deno.test("every malformed list is named", () => {
  const keys = keysOf(40);
  const bytes = encodeKeys(keys);
  const opener = standsOf("opener", keys.map(() => 1));
  const compared = standsOf("answerer", keys.map(() => 2)).compare(opener.groups()).subarray(1);
  const cases: Readonly<Record<string, () => unknown>> = {
    "half a hash": () => decodeListFrame(new Uint8Array(20).fill(2)),
    "half a fingerprint": () => decodeListFrame(new Uint8Array(1 + 32 + 8).fill(2)),
    "half a key": () => decodeListFrame(bytes.subarray(0, -1)),
    "a key twice": () => decodeListFrame(encodeKeys([...keys, keys.at(-1)!])),
    "keys out of order": () => decodeListFrame(encodeKeys(keys.toReversed())),
    "groups of another list": () => opener.checkGroups(new Uint8Array(16)),
    "an answer that is cut off": () => opener.differing(compared.subarray(0, -1)),
    "an answer that is too long": () => opener.differing(concat([compared, new Uint8Array(16)])),
    "an answer without bits": () => opener.differing(new Uint8Array(0)),
    "a group that is not there": () => opener.differing(compared.with(0, 0b111)),
  };
  for (const [name, act] of Object.entries(cases)) {
    assert.throws(act, { code: "malformed" }, name);
  }
  const tooMany = new Uint8Array(1 + 32 * (LIST_MAX + 1)).fill(3, 0, 1);
  assert.throws(() => decodeListFrame(tooMany), { code: "too_large" });
  assert.equal(decodeListFrame(new Uint8Array([1, 0])), undefined, "frames of blocks are others");
  assert.equal(decodeListFrame(new Uint8Array()), undefined);
});

Deno.test("10,000 damaged list frames throw nothing but coded errors", () => {
  const random = randomSource();
  const keys = keysOf(70);
  const opener = standsOf("opener", keys.map(() => 1));
  const answer = standsOf("answerer", keys.map((_, i) => i % 9)).compare(opener.groups());
  const frames = [encodeList(hashKeys(testCrypto, keys), opener), encodeKeys(keys), answer];
  for (let i = 0; i < 10_000; i++) {
    try {
      const frame = decodeListFrame(mutate(frames[random.integer(0, 2)], random));
      if (frame?.type === "compared") opener.differing(frame.body);
      if (frame?.type === "list") opener.checkGroups(frame.groups);
    } catch (error) {
      if (!(error instanceof StreamoError)) throw new Error(random.seed, { cause: error });
      assert.match(error.code, /^(malformed|too_large)$/, random.seed);
    }
  }
});

Deno.test("known lists are forgotten past their bound, the one that was not used for longest first", () => {
  const lists = KnownLists.of(new Registry({ store: new MemoryStore() }));
  const keys = Array<Key>(10_000).fill(keysOf(1)[0]);
  const hashOf = (i: number) => new Uint8Array(32).fill(i);
  for (let i = 0; i < 20; i++) lists.add(hashOf(i), keys);
  assert.equal(lists.get(hashOf(0)), keys);
  lists.add(hashOf(20), keys);
  assert.equal(lists.get(hashOf(1)), undefined);
  for (const i of [0, 2, 19, 20]) assert.equal(lists.get(hashOf(i)), keys, `${i}`);
});
