import assert from "node:assert/strict";
import type { SignedHead } from "../../../core/log/head.ts";
import { MemoryStore } from "../../../core/log/memory_store.ts";
import { Repo } from "../../../core/repo/repo.ts";
import type { Message } from "../../../core/sync/messages.ts";
import { type Device, startDevice, until } from "../../suites/devices.ts";
import { startScript } from "../../suites/hostile_relay.ts";
import { signerOf } from "../../suites/people.ts";
import { startRelay } from "../../suites/relay.ts";
import { runOf } from "../../suites/runs.ts";

const alice = await signerOf("alice");
const bob = await signerOf("bob");

/** A repo of `signer` with `count` records, each in its own block. */
async function written(signer: typeof alice, count: number, name = "k"): Promise<Repo> {
  const repo = await Repo.open(new MemoryStore(), signer);
  for (let i = 0; i < count; i++) {
    repo.set(`${name}${i}`, `${name} ${i}`);
    await repo.flush();
  }
  return repo;
}

const truth = await written(alice, 6);
const bobs = await written(bob, 6);
const bobsRun = await runOf(bobs, 0);

const flip = (bytes: Uint8Array, at: number) => bytes.with(at, bytes[at] ^ 1);

/** A relay that follows a script, and a device that follows alice there. */
async function withScript(
  script: Parameters<typeof startScript>[0],
  body: (relay: ReturnType<typeof startScript>, device: Device) => Promise<void>,
  options: Partial<Parameters<typeof startDevice>[0]> = {},
): Promise<void> {
  const relay = startScript(script);
  const device = await startDevice({ url: relay.url, key: alice.key, ...options });
  try {
    await body(relay, device);
  } finally {
    device.session.close();
    await relay.stop();
  }
}

const opened = (head: SignedHead | undefined, shared?: number, channel = 5): Message => ({
  type: "opened",
  key: alice.key,
  channel,
  head,
  staged: undefined,
  shared,
});

/** Puts what `repo` holds into a store before a device is connected. */
const holding = (repo: Repo) => async (own: Repo) => {
  await own.receive(await runOf(repo, 0));
};

Deno.test("blocks that never come: nothing is shown, and another relay's are taken", async () => {
  const store = new MemoryStore();
  await withScript((heard, caller) => {
    if (heard.type === "open") caller.send(opened(truth.head, 0));
  }, async (_relay, device) => {
    await until(device, () => device.session.status.repos[0].phase === "live");
    const [status] = device.session.status.repos;
    assert.deepStrictEqual([status.blocks, status.peerBlocks], [0, 6]);
    assert.equal(device.repo.get(), undefined);
  }, { store });
  const honest = startRelay(new MemoryStore());
  await honest.registry.with(alice.key, async (repo) => await repo.receive(await runOf(truth, 0)));
  const device = await startDevice({ url: honest.url, key: alice.key, store });
  await device.session.synced(device.repo);
  assert.deepStrictEqual(device.repo.head, truth.head);
  device.session.close();
  await honest.stop();
});

Deno.test("an old head, told or sent, changes nothing", async () => {
  const begin = await Repo.open(new MemoryStore(), alice);
  begin.set("a", 1);
  await begin.flush();
  const early = begin.head!;
  const earlyRun = await runOf(begin, 0);
  begin.set("b", 2);
  await begin.flush();
  await withScript((heard, caller) => {
    if (heard.type === "open") {
      caller.send(opened(early));
      caller.sendRun(5, earlyRun);
    }
  }, async (relay, device) => {
    // It offers what the relay seems to lack.
    const offered = (caller: number) =>
      relay.until(() => relay.callers[caller]?.heard.some(({ type }) => type === "run"));
    await offered(0);
    assert.deepStrictEqual(device.repo.head, begin.head);
    relay.drop();
    await offered(1);
    assert.deepStrictEqual(device.repo.get(), { a: 1, b: 2 });
    assert.deepStrictEqual(device.repo.head, begin.head);
    assert.deepStrictEqual(device.rejected, []);
  }, { prepare: holding(begin) });
});

Deno.test("blocks past the end under an old head are named stale", async () => {
  const begin = await Repo.open(new MemoryStore(), alice);
  begin.set("a", 1);
  await begin.flush();
  const early = await runOf(begin, 0);
  begin.set("b", 2);
  await begin.flush();
  await withScript((heard, caller) => {
    if (heard.type !== "open") return;
    caller.send(opened(begin.head, 2));
    caller.sendRun(5, { ...early, first: 2 });
  }, async (_relay, device) => {
    await until(device, () => device.rejected.length > 0);
    assert.equal(device.rejected[0].code, "stale");
    assert.deepStrictEqual(device.repo.head, begin.head);
  }, { prepare: holding(begin) });
});

Deno.test("of two branches the one that wins is where the reader and the relay go on", async () => {
  const [long, short] = [await written(alice, 6, "long"), await written(alice, 3, "short")];
  for (const [own, other] of [[short, long], [long, short]] as const) {
    const relay = startRelay(new MemoryStore());
    await relay.registry.with(alice.key, async (repo) => await repo.receive(await runOf(other, 0)));
    const device = await startDevice({ url: relay.url, key: alice.key, prepare: holding(own) });
    await until(device, () => {
      const { phase, acked } = device.session.status.repos[0];
      return phase === "live" && acked === 6 && device.repo.head!.blocks === 6;
    });
    assert.deepStrictEqual(device.repo.get(), long.get());
    await relay.registry.with(alice.key, (repo) => {
      assert.deepStrictEqual(repo.head, long.head);
      const kept = own === long ? repo.trunk.asides : device.repo.trunk.asides;
      assert.deepStrictEqual(kept.map(({ head }) => head), [short.head], "the other one is kept");
    });
    assert.deepStrictEqual(device.rejected, []);
    device.session.close();
    await relay.stop();
  }
});

Deno.test("a fork that claims to win and delivers less is named stale, and takes no place", async () => {
  const [own, fork] = [await written(alice, 4, "own"), await written(alice, 2, "fork")];
  const less = await runOf(fork, 0);
  for (let i = 0; i < 4; i++) {
    fork.set("more", i);
    await fork.flush();
  }
  await withScript((heard, caller) => {
    if (heard.type === "open") caller.send(opened(fork.head));
    if (heard.type === "roots") {
      caller.send({ ...heard, type: "rooted", roots: heard.at.map(() => new Uint8Array(32)) });
    }
    if (heard.type === "want") caller.sendRun(5, less);
  }, async (_relay, device) => {
    await until(device, () => device.rejected.length > 0);
    assert.equal(device.rejected[0].code, "stale");
    assert.deepStrictEqual(device.repo.get(), own.get());
    assert.deepStrictEqual(device.repo.head, own.head);
  }, { prepare: holding(own) });
});

Deno.test("wrong proofs of a part of a log are named, whatever is wrong with them", async () => {
  const part = await runOf(truth, 0, 3);
  assert.ok(part.proof.length > 0);
  const proofs = [
    [],
    part.proof.slice(1),
    [...part.proof, part.proof[0]],
    part.proof.toReversed().concat(part.proof.length > 1 ? [] : part.proof),
    part.proof.with(0, flip(part.proof[0], 0)),
    Array(64).fill(part.proof[0]),
  ];
  for (const proof of proofs) {
    await withScript((heard, caller) => {
      if (heard.type !== "open") return;
      caller.send(opened(truth.head, 0));
      caller.sendRun(5, { ...part, proof });
    }, async (_relay, device) => {
      await until(device, () => device.rejected.length > 0);
      assert.equal(device.rejected[0].code, "bad_block");
      assert.equal(device.repo.log.length, 0);
    });
  }
});

Deno.test("blocks of channels that nobody opened are not even looked at", async () => {
  await withScript((heard, caller) => {
    if (heard.type !== "open") return;
    caller.sendRun(99, bobsRun);
    caller.send({ ...opened(bobs.head, 0, 99), key: bob.key } as Message);
    caller.sendRun(99, bobsRun);
    caller.send(opened(truth.head, 0));
    runOf(truth, 0).then((run) => caller.sendRun(5, run));
  }, async (_relay, device) => {
    await until(device, () => device.repo.size() === 6);
    assert.deepStrictEqual(device.rejected, []);
    assert.equal(device.registry.size, 1, "no repo was opened for it");
    assert.equal(await device.registry.store.head(bob.key), undefined);
  });
});

Deno.test("roots that contradict each other are malformed", async () => {
  const [own, fork] = [await written(alice, 100, "own"), await written(alice, 200, "fork")];
  await withScript(async (heard, caller) => {
    if (heard.type === "open") caller.send(opened(fork.head));
    if (heard.type !== "roots") return;
    const roots = await Promise.all(heard.at.map((length) => own.log.rootAt(length)));
    roots[0] = new Uint8Array(32);
    caller.send({ ...heard, type: "rooted", roots });
  }, async (relay, device) => {
    await until(device, () => device.rejected.length > 0);
    assert.equal(device.rejected[0].code, "malformed");
    assert.equal(relay.callers[0].heard.filter(({ type }) => type === "roots").length, 1);
    assert.deepStrictEqual(device.repo.head, own.head);
  }, { prepare: holding(own) });
});

Deno.test("a log that is replaced while roots are compared is no contradiction of the relay's", async () => {
  const [own, fork] = [await written(alice, 100, "own"), await written(alice, 200, "fork")];
  const [ready, asked] = [Promise.withResolvers<Repo>(), Promise.withResolvers<void>()];
  let onHashes: (() => Promise<unknown>) | undefined;
  const store = new class extends MemoryStore {
    override async hashes(...range: Parameters<MemoryStore["hashes"]>) {
      const work = onHashes;
      onHashes = undefined;
      await work?.();
      return await super.hashes(...range);
    }
  }();
  await withScript(async (heard, caller) => {
    if (heard.type === "open" && heard.have?.epoch === 1) return asked.resolve();
    if (heard.type === "open") caller.send(opened(fork.head));
    if (heard.type !== "roots") return;
    // The roots of the device's own log: with those of the next epoch they cannot be compared.
    const roots = await Promise.all(heard.at.map((length) => own.log.rootAt(length)));
    onHashes = async () => (await ready.promise).compact();
    caller.send({ ...heard, type: "rooted", roots });
  }, async (_relay, device) => {
    ready.resolve(device.repo);
    await Promise.race([asked.promise, until(device, () => device.rejected.length > 0)]);
    assert.deepStrictEqual(device.rejected, []);
  }, { prepare: holding(own), signer: alice, store });
});

Deno.test("roots that nobody asked for lead to no more questions", async () => {
  const [own, fork] = [await written(alice, 100, "own"), await written(alice, 200, "fork")];
  await withScript((heard, caller) => {
    if (heard.type === "open") caller.send(opened(fork.head));
    if (heard.type !== "roots") return;
    for (let i = 0; i < 100; i++) {
      caller.send({ ...heard, type: "rooted", at: [i], roots: [undefined] });
      caller.send({ ...heard, type: "rooted", at: [], roots: [] });
    }
    caller.send({ type: "ping" });
  }, async (relay, device) => {
    await relay.until(() => relay.callers[0]?.heard.some(({ type }) => type === "pong"));
    assert.equal(relay.callers[0].heard.filter(({ type }) => type === "roots").length, 1);
    assert.equal(device.session.status.repos[0].phase, "comparing");
    assert.deepStrictEqual(device.repo.head, own.head);
  }, { prepare: holding(own) });
});

Deno.test("a relay that always says conflict is given up, after a bounded number of tries", async () => {
  const own = await Repo.open(new MemoryStore(), alice);
  const heads: (SignedHead | undefined)[] = [undefined];
  for (let i = 0; i < 4; i++) {
    own.set({ i });
    heads.push(await own.flush());
  }
  for (const head of heads.slice(0, 3)) {
    await withScript((heard, caller) => {
      if (heard.type === "open") caller.send(opened(head));
      if (heard.type !== "run") return;
      caller.send({ type: "reject", key: alice.key, code: "conflict", message: "no", head });
    }, async (relay, device) => {
      await until(device, () => device.rejected.length > 0);
      assert.equal(device.rejected[0].code, "conflict");
      assert.ok(relay.callers[0].heard.length < 200, `${relay.callers[0].heard.length} messages`);
      assert.deepStrictEqual(device.repo.head, own.head);
    }, { prepare: holding(own) });
  }
});

Deno.test("a relay that asks for repos is refused, 10,000 times, and opens nothing", async () => {
  const own = await written(alice, 2);
  await withScript((heard, caller) => {
    if (heard.type !== "open") return;
    for (let i = 0; i < 10_000; i++) {
      caller.send({ type: "open", key: bob.key, channel: i, have: undefined });
    }
    caller.send({ type: "ping" });
  }, async (relay, device) => {
    const heard = () => relay.callers[0]?.heard ?? [];
    while (!heard().some(({ type }) => type === "pong")) {
      await new Promise((resolve) => setTimeout(resolve, 1));
    }
    while (heard().filter(({ type }) => type === "reject").length < 1) {
      await new Promise((resolve) => setTimeout(resolve, 1));
    }
    const codes = heard().flatMap((message) => message.type === "reject" ? [message.code] : []);
    assert.deepStrictEqual([...new Set(codes)], ["refused"]);
    assert.ok(
      !heard().some((message) => message.type === "run" && message.run.head.key === bob.key),
    );
    assert.equal(device.registry.size, 1);
  }, { prepare: holding(own) });
});

Deno.test("a relay that closes a channel is told of, and takes no repo away", async () => {
  await withScript((heard, caller) => {
    if (heard.type === "open") caller.send({ type: "close", key: alice.key });
  }, async (_relay, device) => {
    await until(device, () => device.rejected.length > 0);
    assert.equal(device.rejected[0].code, "closed");
    assert.equal(device.session.status.repos[0].phase, "refused");
    assert.equal(await device.registry.open(alice.key), device.repo, "it is still open");
    device.registry.release(alice.key);
  });
});

Deno.test("a flood of messages while the client's store is slow ends the connection", async () => {
  const store = new MemoryStore();
  store.hashes = () => new Promise(() => {});
  const own = await written(alice, 4);
  await withScript((heard, caller) => {
    if (heard.type !== "open") return;
    const at = Array.from({ length: 32 }, (_, i) => i % 4);
    for (let i = 0; i < 30_000; i++) caller.send({ type: "roots", key: alice.key, at });
  }, async (_relay, device) => {
    await until(device, () => device.rejected.length > 0);
    assert.equal(device.rejected[0].code, "too_large");
  }, { prepare: holding(own), store });
});
