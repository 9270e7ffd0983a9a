/** Branches that are larger than what is held in memory. */

import assert from "node:assert/strict";
import { type SignedHead, signHead, type VerifiedHead } from "../../../core/log/head.ts";
import { leafHash, pushLeaf } from "../../../core/log/merkle.ts";
import { proofRanges, rootFromFrontier } from "../../../core/log/merkle_proof.ts";
import { MemoryStore } from "../../../core/log/memory_store.ts";
import type { Run } from "../../../core/log/run.ts";
import { Repo } from "../../../core/repo/repo.ts";
import { HoldBudget, holdBudgets } from "../../../core/sync/hold_budget.ts";
import type { Message } from "../../../core/sync/messages.ts";
import { startDevice, until } from "../../suites/devices.ts";
import { type Script, startScript } from "../../suites/hostile_relay.ts";
import { signerOf } from "../../suites/people.ts";
import { runOf } from "../../suites/runs.ts";
import { testCrypto } from "../../suites/test_log.ts";

const alice = await signerOf("alice");
const bob = await signerOf("bob");
const MIB = 2 ** 20;

async function written(signer: typeof alice, count: number): Promise<Repo> {
  const repo = await Repo.open(new MemoryStore(), signer);
  for (let i = 0; i < count; i++) {
    repo.set(`k${i}`, `${count} ${i}`);
    await repo.flush();
  }
  return repo;
}

/** The first blocks of a log of 1 GB that alice has signed, which nobody has as a whole. */
async function beginning(): Promise<Run & { readonly head: VerifiedHead }> {
  const run = await runOf(await written(alice, 20), 0);
  const blocks = 100_000;
  let frontier: Uint8Array[] = [];
  let start = 0;
  run.blocks.forEach((bytes, i) => {
    frontier = pushLeaf(testCrypto, frontier, i, leafHash(testCrypto, start, bytes));
    start += bytes.length;
  });
  const right = proofRanges(0, 20, blocks).filter(([from]) => from >= 20);
  const proof = right.map((_, i) => new Uint8Array(32).fill(i));
  const root = rootFromFrontier(testCrypto, blocks, 20, frontier, proof);
  const head = await signHead({ ...run.head, blocks, bytes: 10 ** 9, root }, alice);
  return { ...run, head, proof };
}

const large = await beginning();
const bobs = await runOf(await written(bob, 3), 0);

const opened = (head: SignedHead | undefined): Message => ({
  type: "opened",
  key: head!.key,
  channel: head!.key === bob.key ? 6 : 5,
  head,
  staged: undefined,
  shared: head!.key === bob.key ? 0 : undefined,
});

/** A relay with bob's log, and with another branch of alice's than the device has. */
const withBranch = (head: SignedHead, more: Script = () => {}): Script => (heard, caller) => {
  if (heard.type === "open") caller.send(opened(heard.key === bob.key ? bobs.head : head));
  if (heard.type === "open" && heard.key === bob.key) caller.sendRun(6, bobs);
  if (heard.type === "roots") {
    caller.send({ ...heard, type: "rooted", roots: heard.at.map(() => undefined) });
  }
  more(heard, caller);
};

for (const [who, signer] of [["a reader", undefined], ["a writer", alice]] as const) {
  const test = async (script: Script, wants: number) => {
    const own = await written(alice, 4);
    const relay = startScript(script);
    const device = await startDevice({
      url: relay.url,
      key: alice.key,
      signer,
      prepare: async (repo) => await repo.receive(await runOf(own, 0)),
    });
    await until(device, () => device.rejected.length > 0);
    assert.partialDeepStrictEqual(device.rejected, [{ code: "too_large", isBreach: false }]);
    const [status] = device.session.status.repos;
    assert.deepStrictEqual([status.phase, status.refusal?.code], ["refused", "too_large"]);
    await assert.rejects(device.session.landed(device.repo), { code: "too_large" });
    assert.deepStrictEqual(device.repo.head, own.head);
    const { heard } = relay.callers[0];
    assert.equal(heard.filter(({ type }) => type === "want").length, wants);
    // Nothing of it is in memory any more, and the connection goes on.
    const { fetched, merged } = holdBudgets(device.registry);
    for (const [budget, bytes] of [[fetched, 256 * MIB], [merged, 512 * MIB]] as const) {
      budget.take(bytes);
      budget.give(bytes);
    }
    const other = await device.session.subscribe(bob.key);
    await device.session.synced(other);
    assert.equal(other.size(), 3);
    assert.equal(relay.callers.length, 1);
    device.session.close();
    await relay.stop();
  };

  Deno.test(`a branch of 1 GB is refused by ${who} before any of it comes, and all else goes on`, () =>
    test(withBranch(large.head), 0));

  Deno.test(`a branch that grows to 1 GB while ${who} fetches it is let go of`, async () => {
    const small = await written(alice, 9);
    const script = withBranch(small.head!, (heard, caller) => {
      if (heard.type === "want") caller.sendRun(5, large);
    });
    await test(script, 1);
  });
}

Deno.test("so many bytes of one branch are held, and so many of all", () => {
  const budget = new HoldBudget(10, 25);
  budget.check(10);
  assert.throws(() => budget.check(11), { code: "too_large" });
  budget.take(10);
  budget.take(10);
  assert.throws(() => budget.take(6), { code: "too_large" });
  budget.take(5);
  budget.give(10);
  budget.take(10);
});
