import assert from "node:assert/strict";
import { defaultCrypto } from "../../../core/identity/default_crypto.ts";
import { verifyConsistency } from "../../../core/log/consistency_proof.ts";
import { checkProven } from "../../../core/log/source.ts";
import { MemoryStore } from "../../../core/log/memory_store.ts";
import { Repo } from "../../../core/repo/repo.ts";
import { decodeNewest, decodeProven } from "../../../core/sync/proof_body.ts";
import { HttpSource } from "../../../core/sync/http_source.ts";
import { signerOf } from "../../suites/people.ts";
import { keyOf, noise, relayWorld } from "../../suites/relay_world.ts";
import { runOf } from "../../suites/runs.ts";

const crypto = defaultCrypto();

async function longLog() {
  const world = await relayWorld();
  const heads = [];
  for (let n = 0; n < 6; n++) {
    heads.push((await world.write("alice", { film: noise(200_000), n })).head!);
  }
  const key = await keyOf("alice");
  const head = heads[5];
  const log = `epoch=0&blocks=${head.blocks}&root=${head.root.toHex()}`;
  const ask = (query: string, tree = log) =>
    world.get(`/streams/${key}/proof?${[tree, query].filter((part) => part !== "").join("&")}`);
  return { ...world, key, heads, head, ask };
}

Deno.test("/streams/KEY/proof gives blocks by address and by index, with their proof", async () => {
  const { store, key, head, ask } = await longLog();
  const all = await Array.fromAsync(store.blocks(key, 0, 0, head.blocks));
  for (const { index, start, bytes } of all) {
    for (const address of [start, start + bytes.length - 1]) {
      const response = await ask(`at=${address}`);
      assert.equal(response.status, 200);
      const [block] = checkProven(crypto, head, decodeProven(await response.bytes()));
      assert.deepEqual(block, { index, start, bytes });
    }
  }
  const run = decodeProven(await (await ask("first=1&end=4")).bytes());
  assert.deepEqual(checkProven(crypto, head, run), all.slice(1, 4));
});

Deno.test("it proves against older heads, and that the newer ones extend them", async () => {
  const { heads, head, ask } = await longLog();
  for (const older of heads) {
    const log = `epoch=0&blocks=${older.blocks}&root=${older.root.toHex()}`;
    const proven = decodeProven(await (await ask("at=0", log)).bytes());
    assert.equal(checkProven(crypto, older, proven)[0].index, 0);
    const newest = decodeNewest(await (await ask("", log)).bytes());
    assert.deepEqual(newest.head, head);
    if (older !== head) verifyConsistency(crypto, older, head, newest.extension);
  }
});

Deno.test("it gives the newest head with the block of the newest record, unless that is held", async () => {
  const { key, head, ask, write } = await longLog();
  const response = await ask("", "");
  const newest = decodeNewest(await response.bytes());
  assert.deepEqual([newest.head, newest.extension], [head, []]);
  const [block] = checkProven(crypto, head, newest.end!);
  assert.ok(block.start <= head.record! && block.index === head.blocks - 1);
  const same = decodeNewest(await (await ask("")).bytes());
  assert.deepEqual(same, { head, extension: [], end: undefined });
  assert.equal(response.headers.get("cache-control"), "no-cache");
  await write("alice", "newer");
  const later = await ask("", "");
  assert.notEqual(later.headers.get("etag"), response.headers.get("etag"));
  assert.equal(decodeNewest(await later.bytes()).head.key, key);
});

Deno.test("an answer is the same for ever: its URL names the root", async () => {
  const { ask, write } = await longLog();
  const response = await ask("at=0");
  assert.match(response.headers.get("cache-control")!, /immutable/);
  const body = await response.bytes();
  await write("alice", "newer");
  const later = await ask("at=0");
  assert.deepEqual(await later.bytes(), body);
  assert.equal(later.headers.get("etag"), response.headers.get("etag"));
  assert.notEqual((await ask("at=70000")).headers.get("etag"), response.headers.get("etag"));
});

const reading = (fields: Record<string, unknown>) =>
  encodeURIComponent(JSON.stringify({ kind: "value", root: 0, path: [], ...fields }));

Deno.test("what cannot be proved is refused with one code", async () => {
  const { head, ask, get } = await longLog();
  const root = head.root.toHex();
  const tree = (blocks: number, hex = root, epoch = 0) =>
    `epoch=${epoch}&blocks=${blocks}&root=${hex}`;
  const cases: [string, string, number, string, string?][] = [
    ["a byte past the end", `at=${head.bytes}`, 404, "not_found"],
    ["blocks past the end", `first=0&end=${head.blocks + 1}`, 404, "not_found"],
    ["no blocks", "first=2&end=2", 404, "not_found"],
    ["no log", "at=0", 400, "malformed", ""],
    ["a reading that is none", "at=0&reading=x", 400, "malformed"],
    ["a path that is none", `at=0&reading=${reading({ path: [null] })}`, 400, "malformed"],
    ["a long path", `at=0&reading=${reading({ path: Array(501).fill(0) })}`, 400, "malformed"],
    ["a long name", `at=0&reading=${reading({ path: ["x".repeat(5000)] })}`, 413, "too_large"],
    ["half an address", `at=0&reading=${reading({ root: 0.5 })}`, 400, "malformed"],
    ["another kind", `at=0&reading=${reading({ kind: "toString" })}`, 400, "malformed"],
    ["a range that is none", `at=0&reading=${reading({ range: { limit: -1 } })}`, 400, "malformed"],
    ["an address that is no number", "at=-1", 400, "malformed"],
    ["an address past 2^53", "at=9007199254740992", 400, "malformed"],
    ["more blocks than there are", "at=0", 404, "not_found", tree(head.blocks + 1)],
    ["an epoch to come", "at=0", 404, "not_found", tree(1, root, 1)],
    ["another root", "at=0", 409, "conflict", tree(head.blocks, "00".repeat(32))],
    ["another number of blocks", "at=0", 409, "conflict", tree(3)],
    ["a short root", "at=0", 400, "malformed", tree(3, "00")],
  ];
  for (const [name, query, status, code, log] of cases) {
    const response = await ask(query, log);
    assert.equal(response.status, status, name);
    assert.equal((await response.json()).error, code, name);
  }
  const nobody = await get(`/streams/${await keyOf("nobody")}/proof?${tree(1)}&at=0`);
  assert.equal(nobody.status, 404);
  assert.equal((await nobody.json()).error, "not_found");
});

Deno.test("a log that another one took the place of is proved anew", async () => {
  const signer = await signerOf("alice");
  const logs = await Promise.all([1, 2].map(async (salt) => {
    const repo = await Repo.open(new MemoryStore(), signer);
    // More than one tile of 256 blocks: remembered subtrees are those of the first log.
    for (let i = 0; i < 300 + salt; i++) {
      repo.set({ i, salt });
      await repo.flush();
    }
    return repo;
  }));
  const world = await relayWorld();
  const repo = await world.registry.open(signer.key);
  const fetch = (url: string, init?: RequestInit) => world.relay.fetch(new Request(url, init));
  const source = new HttpSource("http://relay.test", { fetch: async (...a) => await fetch(...a) });
  for (const from of logs) {
    const run = await runOf(from, 0);
    if (repo.head === undefined) await repo.receive(run);
    else {
      const branch = await repo.log.branch(0);
      await branch.hold(run);
      await repo.trunk.replace(branch);
    }
    const proven = await source.blocks(repo.head!, 5, 6);
    assert.equal(checkProven(defaultCrypto(), repo.head!, proven!).length, 1);
    const root = (await from.log.rootAt(260))!;
    const held = { key: from.key, epoch: 0, blocks: 260, root };
    const { extension } = (await source.newest(from.key, held))!;
    verifyConsistency(defaultCrypto(), held, repo.head!, extension);
  }
});
