/** Bounds of what peers can make a process hold: one test each, at the bound. */

import assert from "node:assert/strict";
import { Writer } from "../../../core/codec/writer.ts";
import type { Head } from "../../../core/log/head.ts";
import { Log } from "../../../core/log/log.ts";
import { MemoryStore } from "../../../core/log/memory_store.ts";
import { Registry } from "../../../core/repo/registry.ts";
import { Repo } from "../../../core/repo/repo.ts";
import { Identification } from "../../../core/sync/auth.ts";
import { encodeFrame, Frame, FRAME_MAX_BLOCKS } from "../../../core/sync/frame.ts";
import { HeldFork } from "../../../core/sync/held_fork.ts";
import { HoldBudget, holdBudgets } from "../../../core/sync/hold_budget.ts";
import { Inbox } from "../../../core/sync/inbox.ts";
import { Openings } from "../../../core/sync/openings.ts";
import { decodeProven } from "../../../core/sync/proof_body.ts";
import { Room } from "../../../core/sync/room.ts";
import { connect } from "../../../core/sync/session.ts";
import { Waiting, waitingFor } from "../../../core/sync/waiting.ts";
import { noise } from "../../suites/noise.ts";
import { signerOf } from "../../suites/people.ts";
import { startRelay } from "../../suites/relay.ts";
import { GatedStore } from "../../suites/stores.ts";
import { testCrypto } from "../../suites/test_log.ts";
import { Traffic } from "../../suites/traffic.ts";

const MIB = 2 ** 20;
const tooLarge = { code: "too_large" };
const alice = await signerOf("alice");
const repo = await Repo.open(new MemoryStore(), alice);
repo.set(1);
await repo.flush();
const head = repo.head!;

Deno.test("frames that wait take what they have on the wire, however many blocks are in them", () => {
  const blocks = Array.from({ length: FRAME_MAX_BLOCKS }, () => new Uint8Array([1]));
  const bytes = encodeFrame(1, { head, first: 0, blocks, proof: [] });
  const before = Deno.memoryUsage().heapUsed;
  const frames = Array.from({ length: 300 }, () => new Frame(bytes));
  const grown = Deno.memoryUsage().heapUsed - before;
  // As views they would take 300 MB.
  assert.ok(grown < 50e6, `${grown} bytes`);
  assert.equal(frames.at(-1)!.run().blocks.length, FRAME_MAX_BLOCKS);
});

Deno.test("64 MiB of one connection wait, and 512 MiB of all; what is given back counts no more", () => {
  const registry = new Registry({ store: new MemoryStore() });
  const first = waitingFor(registry);
  first.take(64 * MIB - 512);
  assert.throws(() => first.take(0), tooLarge);
  first.give(0, 1);
  for (let i = 0; i < 7; i++) {
    waitingFor(registry).take(64 * MIB - 512);
  }
  const last = waitingFor(registry);
  assert.throws(() => last.take(0), tooLarge);
  last.give(0, 1);
  first.give(64 * MIB - 512, 1);
  last.take(64 * MIB - 512);
});

Deno.test("10 MiB of frames and messages of one channel wait; at its end they count no more", async () => {
  const all = { bytes: 0 };
  const started = Promise.withResolvers<void>();
  let last: Promise<void> = started.promise;
  const inbox = new Inbox((work) => void (last = last.then(work)), new Waiting(all));
  const worked: number[] = [];
  const work = (n: number) => () => Promise.resolve(void worked.push(n));
  inbox.message(10 * MIB - 512, work(0));
  inbox.message(0, work(1));
  assert.throws(() => inbox.message(0, work(2)), tooLarge);
  started.resolve();
  await last;
  assert.deepEqual(worked, [0, 1, 2]);
  assert.equal(all.bytes, 0);
  const frame = new Frame(
    encodeFrame(1, { head, first: 0, blocks: [noise(1, 60_000)], proof: [] }),
  );
  assert.throws(() => {
    for (let i = 0; i < 176; i++) inbox.frame(frame, () => Promise.resolve());
  }, tooLarge);
  assert.ok(all.bytes > 10 * MIB);
  inbox.end();
  assert.equal(all.bytes, 0);
});

Deno.test("16 MiB wait while repos are opened; when the connection ends nothing does", () => {
  const all = { bytes: 0 };
  const openings = new Openings(new Waiting(all));
  openings.begin(alice.key);
  openings.whenOpen(alice.key, 16 * MIB, () => assert.fail("taken"));
  assert.throws(() => openings.whenOpen(alice.key, 1, () => {}), tooLarge);
  openings.end();
  assert.equal(all.bytes, 0);
  openings.whenOpen(alice.key, 16 * MIB, () => assert.fail("taken"));
  assert.equal(all.bytes, 0);
});

Deno.test("10,000 messages wait for a claim to be judged", () => {
  const options = {
    host: "here",
    crypto: testCrypto,
    randomBytes: (length: number) => new Uint8Array(length),
  };
  const identification = new Identification(options, { send: () => {} });
  identification.greet(new Uint8Array(32).fill(1));
  identification.judge({ type: "auth", key: alice.key, signature: new Uint8Array(64) });
  for (let i = 0; i < 10_000; i++) identification.whenJudged(() => {});
  assert.throws(() => identification.whenJudged(() => {}), tooLarge);
});

Deno.test("branches are held up to a bound each, and in all, until they are given back", () => {
  const budget = new HoldBudget(10, 25);
  budget.check(10);
  assert.throws(() => budget.check(11), tooLarge);
  budget.take(20);
  assert.throws(() => budget.take(6), tooLarge);
  budget.take(5);
  budget.give(25);
  budget.take(25);
});

Deno.test("of what peers offer 32 MiB a branch are held, of what is asked for 128, by signers 512", () => {
  const { offered, fetched, merged } = holdBudgets(new Registry({ store: new MemoryStore() }));
  const bounds = [[offered, 32, 128], [fetched, 128, 256], [merged, 512, 512]] as const;
  for (const [budget, most, all] of bounds) {
    budget.check(most * MIB);
    assert.throws(() => budget.check(most * MIB + 1), tooLarge);
    budget.take(all * MIB);
    assert.throws(() => budget.take(1), tooLarge);
  }
});

Deno.test("a branch of many blocks of one byte is larger than its bytes", async () => {
  const log = await Log.open(new MemoryStore(), alice.key, { crypto: testCrypto });
  const fork = new HeldFork({
    offered: new HoldBudget(0, 0),
    fetched: new HoldBudget(MIB, 2 * MIB),
    merged: new HoldBudget(0, 0),
  }, false);
  const asked = (blocks: number): Head => ({ ...head, blocks, bytes: blocks });
  assert.equal(fork.begin(await log.branch(0), head, asked(5_000)), undefined);
  const dropped = fork.begin(await log.branch(0), head, asked(6_000));
  assert.deepEqual(dropped?.type === "dropped" && dropped.code, "too_large");
});

Deno.test("an answer has 1,024 blocks, in however many runs", () => {
  const answer = (...runs: number[]) => {
    const writer = new Writer(1024);
    writer.varint(runs.length);
    for (const count of runs) {
      for (const number of [0, 0, count]) writer.varint(number);
      for (let i = 0; i < 2 * count; i++) writer.varint(1);
    }
    writer.varint(0);
    return decodeProven(writer.view());
  };
  assert.equal(answer(1024).runs[0].blocks.length, 1024);
  assert.equal(answer(1000, 24).runs.length, 2);
  assert.throws(() => answer(1025), tooLarge);
  assert.throws(() => answer(1000, 25), tooLarge);
});

Deno.test("who has 16 MiB on the way to be stored sends no more, and goes on after half of it", () => {
  const transport = {
    bufferedBytes: 0,
    send: () => {},
    close: () => {},
    onMessage: () => {},
    onClose: () => {},
  };
  const room = new Room(transport, () => assert.fail("a ping"));
  let resumed = 0;
  const sender = { resume: () => void resumed++ };
  assert.ok(room.has(sender));
  room.count(16 * MIB);
  assert.ok(!room.has(sender));
  room.count(-8 * MIB + 1);
  room.resume();
  assert.equal(resumed, 0);
  room.count(-1);
  assert.equal(resumed, 1);
});

Deno.test("a device with many logs to send has 16 MiB of them on the way, and sends them all", async () => {
  const store = new GatedStore();
  const relay = startRelay(store);
  const traffic = new Traffic();
  const registry = new Registry({ store: new MemoryStore() });
  const signers = await Promise.all([1, 2, 3, 4, 5, 6, 7, 8].map((n) => signerOf(`many ${n}`)));
  for (const [n, signer] of signers.entries()) {
    await registry.with(signer, async (repo) => {
      await repo.putBytes(["film"], new Blob([noise(n, 4 * MIB)]).stream());
      await repo.flush();
    });
  }
  const gate = Promise.withResolvers<void>();
  store.gate = async (append) => {
    await gate.promise;
    await append();
  };
  const session = connect(registry, relay.url, { openTransport: traffic.openTransport });
  const landed = Promise.all(signers.map(async ({ key }) => {
    return await session.landed(await session.subscribe(key));
  }));
  await traffic.until(() => traffic.bytes >= 16 * MIB);
  for (let turns = 0; turns < 100; turns++) await new Promise((done) => setTimeout(done, 0));
  assert.ok(traffic.bytes < 16 * MIB + 2 * MIB, `${traffic.bytes} bytes`);
  gate.resolve();
  await landed;
  session.close();
  await relay.stop();
});
