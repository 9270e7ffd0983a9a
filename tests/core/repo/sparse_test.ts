import assert from "node:assert/strict";
import { concat } from "../../../core/bytes.ts";
import { MissingBlock } from "../../../core/codec/chunks.ts";
import { type Code, StreamoError } from "../../../core/errors.ts";
import type { SignedHead } from "../../../core/log/head.ts";
import { MemoryStore } from "../../../core/log/memory_store.ts";
import type { BlockRun, ProvenBlocks } from "../../../core/log/source.ts";
import type { Store } from "../../../core/log/store.ts";
import { Repo } from "../../../core/repo/repo.ts";
import type { Signer } from "../../../core/identity/signer.ts";
import { signerOf } from "../../suites/people.ts";
import { runOf } from "../../suites/runs.ts";
import { sampleBytes } from "../../suites/sample_bytes.ts";
import { type Lies, TestSource } from "../../suites/sources.ts";
import { AsyncStore } from "../../suites/stores.ts";

const alice = await signerOf("alice");
const bob = await signerOf("bob");
const film = sampleBytes("hashed", 3_000_000);

/** A repo of some 60 blocks: a map of 200 keys, a film, history. */
async function filled(signer: Signer = alice, salt = "-"): Promise<MemoryStore> {
  const store = new MemoryStore();
  const repo = await Repo.open(store, signer);
  repo.transaction((draft) => {
    for (let i = 0; i < 200; i++) draft.set(`k${i}`, { text: `value ${i} `.repeat(50) + salt });
  });
  await repo.flush();
  repo.set("film", film);
  for (let i = 0; i < 5; i++) {
    repo.set("k7", { text: `change ${i}${salt}` });
    await repo.flush();
  }
  return store;
}

async function bytesOf(stream: ReadableStream<Uint8Array>): Promise<Uint8Array> {
  return concat(await Array.fromAsync(stream));
}

const isRefused = (code: Code, source: string) => (error: unknown) => {
  assert.ok(error instanceof StreamoError, String(error));
  assert.equal(error.code, code, error.message);
  assert.equal(error.data.source, source);
  assert.ok(error.message.startsWith(`${source}: `), error.message);
  return true;
};

const store = await filled();
const blockCount = (await store.head(alice.key))!.length;

Deno.test("a repo over a source holds a verified head, and fetches the blocks that reads need", async () => {
  const source = new TestSource(store);
  const empty = new MemoryStore();
  const repo = await Repo.open(empty, alice.key, { source });
  assert.equal(repo.head!.blocks, blockCount);
  assert.deepEqual(source.asked, ["newest"], "opening takes the head and the last block");
  assert.throws(() => repo.get("k3", "text"), (error) => error instanceof MissingBlock);
  assert.equal(await repo.load("k3", "text"), "value 3 ".repeat(50) + "-");
  assert.equal(repo.get("k3", "text"), "value 3 ".repeat(50) + "-", "what was fetched is kept");
  assert.equal(await repo.load("k7", "text"), "change 4-");
  const part = await bytesOf(repo.readBytes(["film"], { start: 1_000_000, end: 1_010_000 }));
  assert.deepEqual(part, film.slice(1_000_000, 1_010_000));
  assert.deepEqual(source.asked, ["newest", "blockAt", "blockAt"], "k7 came with the head");
  assert.equal(await empty.head(alice.key), undefined, "nothing is written to the store");
});

Deno.test("one decoder serves memory, stores without synchronous reads, and sources", async () => {
  const full = await Repo.open(store, alice.key);
  const repos = {
    "a store without synchronous reads": await Repo.open(new AsyncStore(store), alice.key),
    "a source": await Repo.open(new MemoryStore(), alice.key, { source: new TestSource(store) }),
  };
  for (const [name, repo] of Object.entries(repos)) {
    assert.deepEqual(await repo.load(), full.get(), name);
    assert.deepEqual(await bytesOf(repo.readBytes(["film"])), film, name);
    const history = await repo.read(() => [...repo.history()]);
    assert.deepEqual(history, [...full.history()], name);
    assert.deepEqual(await repo.read(() => repo.at(2)?.get("k7")), full.at(2)!.get("k7"), name);
    const read = await Array.fromAsync(repo.log.blocks(0, blockCount));
    assert.deepEqual(read, await Array.fromAsync(full.log.blocks(0, blockCount)), name);
  }
});

Deno.test("two reads of one place at a time ask once", async () => {
  const source = new TestSource(store);
  const repo = await Repo.open(new MemoryStore(), alice.key, { source });
  const alone = new TestSource(store);
  await (await Repo.open(new MemoryStore(), alice.key, { source: alone })).load("k3");
  await Promise.all([repo.load("k3"), repo.load("k3"), repo.load("k3")]);
  assert.deepEqual(source.asked, alone.asked);
});

const other = await filled(bob);
const forked = await filled(alice, "~");
const oldHead = await headAt(3);

/** The head of alice's log when it had fewer blocks. */
async function headAt(writes: number): Promise<SignedHead> {
  const early = new MemoryStore();
  const repo = await Repo.open(early, alice);
  for (let i = 0; i < writes; i++) {
    repo.set("n", i);
    await repo.flush();
  }
  return repo.head!;
}

const change =
  (edit: (proven: ProvenBlocks) => Partial<ProvenBlocks>) => (proven?: ProvenBlocks) => ({
    ...proven!,
    ...edit(proven!),
  });
/** Changes the last run. */
const changeRun = (edit: (run: BlockRun) => Partial<BlockRun>) =>
  change(({ runs }) => ({ runs: runs.with(-1, { ...runs.at(-1)!, ...edit(runs.at(-1)!) }) }));
const flip = (bytes: Uint8Array) =>
  bytes.map((byte, i) => i === bytes.length >> 1 ? byte ^ 1 : byte);

const BLOCK_LIES: [string, Code, NonNullable<Lies["blocks"]>][] = [
  ["wrong bytes", "bad_block", changeRun(({ blocks }) => ({ blocks: blocks.map(flip) }))],
  ["a wrong index", "bad_block", changeRun(({ first }) => ({ first: first - 1 }))],
  ["a wrong address", "bad_block", changeRun(({ start }) => ({ start: start - 1 }))],
  ["an address that is no number", "bad_block", changeRun(() => ({ start: NaN }))],
  ["a wrong proof", "bad_block", change(({ proof }) => ({ proof: proof.map(flip) }))],
  ["half a proof", "bad_block", change(({ proof }) => ({ proof: proof.slice(1) }))],
  ["no blocks", "bad_block", changeRun(() => ({ blocks: [] }))],
  ["no runs", "bad_block", change(() => ({ runs: [] }))],
  ["a run twice", "bad_block", change(({ runs }) => ({ runs: [...runs, ...runs] }))],
  ["an empty block", "too_large", changeRun(() => ({ blocks: [new Uint8Array(0)] }))],
  ["a block of 61,441 bytes", "too_large", changeRun(() => ({ blocks: [new Uint8Array(61_441)] }))],
  ["nothing", "missing_block", () => undefined],
];

/** The same lie about the blocks that come with the head. */
const atEnd = (lie: NonNullable<Lies["blocks"]>): Lies["newest"] => (newest) => ({
  ...newest!,
  end: newest!.end && lie(newest!.end),
});

for (const [name, code, blocks] of BLOCK_LIES) {
  Deno.test(`a source that serves ${name} is refused by name, and changes nothing`, async () => {
    const source = new TestSource(store, "liar", { newest: atEnd(blocks) });
    const open = () => Repo.open(new MemoryStore(), alice.key, { source });
    if (name === "nothing") assert.equal((await open()).head!.blocks, blockCount);
    else await assert.rejects(open(), isRefused(code, "liar"));
    source.lies = {};
    const repo = await open();
    source.lies = { blocks };
    await assert.rejects(repo.load("k3"), isRefused(code, "liar"));
    await assert.rejects(bytesOf(repo.readBytes(["film"])), isRefused(code, "liar"));
    source.lies = {};
    assert.equal(await repo.load("k3", "text"), "value 3 ".repeat(50) + "-");
  });
}

Deno.test("where one source lies the next one is asked, and the lie is told", async () => {
  for (const [name, code, blocks] of BLOCK_LIES) {
    const refused: StreamoError[] = [];
    const liar = new TestSource(store, "liar", { blocks });
    const source = [liar, new TestSource(store, "honest")];
    const onRefused = (error: StreamoError) => void refused.push(error);
    const repo = await Repo.open(new MemoryStore(), alice.key, { source, onRefused });
    assert.equal(await repo.load("k3", "text"), "value 3 ".repeat(50) + "-", name);
    assert.ok(refused.length >= 1, name);
    for (const error of refused) assert.ok(isRefused(code, "liar")(error), name);
  }
});

Deno.test("a block of the right log at another place is not the one asked for", async () => {
  const source = new TestSource(store, "liar");
  const repo = await Repo.open(new MemoryStore(), alice.key, { source });
  const elsewhere = await source.blocks(repo.head!, 35, 36);
  source.lies = { blocks: () => elsewhere };
  await assert.rejects(repo.load("k3"), isRefused("bad_block", "liar"));
});

const withHead = (lie: (head: SignedHead) => SignedHead): Lies["newest"] => (newest) => ({
  ...newest!,
  head: lie(newest!.head),
});

Deno.test("heads that are not the key's, or not signed, are refused by the source's name", async () => {
  const bobs = (await other.head(bob.key))!.head!;
  const cases: [string, Code, Lies["newest"]][] = [
    ["another key's head", "wrong_key", withHead(() => bobs)],
    [
      "an unsigned head",
      "bad_signature",
      withHead((head) => ({ ...head, blocks: head.blocks - 1 })),
    ],
  ];
  for (const [name, code, newest] of cases) {
    const liar = new TestSource(store, "liar", { newest });
    const open = (source: TestSource[]) => Repo.open(new MemoryStore(), alice.key, { source });
    await assert.rejects(open([liar]), isRefused(code, "liar"), name);
    const repo = await open([liar, new TestSource(store)]);
    assert.equal(repo.head!.blocks, blockCount, name);
  }
});

Deno.test("a head older than the one held, and a fork, are refused and leave what is held", async () => {
  const fork = (await forked.head(alice.key))!.head!;
  assert.equal(fork.blocks, blockCount, "two logs of one length");
  const cases: [string, Code, Lies][] = [
    ["an old head", "stale", { newest: withHead(() => oldHead) }],
    ["a fork", "conflict", { newest: withHead(() => fork) }],
  ];
  for (const [name, code, lies] of cases) {
    const refused: StreamoError[] = [];
    const onRefused = (error: StreamoError) => void refused.push(error);
    const source = new TestSource(store, "liar");
    const repo = await Repo.open(new MemoryStore(), alice.key, { source, onRefused });
    source.lies = lies;
    await repo.refresh();
    assert.deepEqual(refused.map((error) => isRefused(code, "liar")(error)), [true], name);
    assert.equal(repo.head!.blocks, blockCount, name);
    assert.equal(await repo.load("k3", "text"), "value 3 ".repeat(50) + "-", name);
  }
});

Deno.test("a newer head is taken if it is shown to extend the one held", async () => {
  const growing = await filled();
  const author = await Repo.open(growing, alice);
  const refused: StreamoError[] = [];
  const onRefused = (error: StreamoError) => void refused.push(error);
  const source = new TestSource(growing, "relay");
  const repo = await Repo.open(new MemoryStore(), alice.key, { source, onRefused });
  author.set("k3", "newer");
  await author.flush();
  const lies: ((extension: readonly Uint8Array[]) => readonly Uint8Array[])[] = [
    () => [],
    (hashes) => hashes.slice(1),
    (hashes) => hashes.map(flip),
  ];
  for (const lie of lies) {
    source.lies = { newest: (newest) => ({ ...newest!, extension: lie(newest!.extension) }) };
    await repo.refresh();
    assert.equal(repo.head!.blocks, blockCount);
    assert.equal(refused.pop()?.code, "conflict");
  }
  source.lies = {};
  await repo.refresh();
  assert.equal(repo.head!.blocks, blockCount + 1);
  assert.equal(await repo.load("k3"), "newer");
});

Deno.test("what the store holds is read from it; without sources it is still there", async () => {
  const growing = await filled();
  const author = await Repo.open(growing, alice);
  const part = new MemoryStore();
  await (await Repo.open(part, alice.key)).receive(await runOf(author, 0));
  author.set("k3", "newer");
  await author.flush();
  const source = new TestSource(growing, "relay");
  const repo = await Repo.open(part, alice.key, { source });
  assert.equal(await repo.load("k3"), "newer");
  assert.deepEqual(await bytesOf(repo.readBytes(["film"])), film);
  const read = await Array.fromAsync(repo.log.blocks(0, blockCount + 1));
  assert.deepEqual(read, await Array.fromAsync(growing.blocks(alice.key, 0, 0, blockCount + 1)));
  assert.deepEqual(source.asked, ["newest", "blocks"], "for one new block");
  const gone = new TestSource(growing, "gone", {
    newest: () => {
      throw new StreamoError("unreachable", "no answer");
    },
  });
  const offline = await Repo.open(part, alice.key, { source: gone });
  assert.equal(offline.get("k3", "text"), "value 3 ".repeat(50) + "-");
  const open = (store: Store) => Repo.open(store, alice.key, { source: gone });
  await assert.rejects(open(new MemoryStore()), isRefused("unreachable", "gone"));
});

Deno.test("a key that no source has is an empty repo; all failures are told where all fail", async () => {
  const none = new TestSource(new MemoryStore(), "none");
  const repo = await Repo.open(new MemoryStore(), alice.key, { source: [none] });
  assert.equal(repo.head, undefined);
  const noBlocks: Lies = { newest: atEnd(() => undefined), blocks: () => undefined };
  const liar = new TestSource(store, "liar", noBlocks);
  const open = Repo.open(new MemoryStore(), alice.key, { source: [none, liar] });
  await assert.rejects(open, { code: "missing_block", message: /^none: .*; liar: / });
});

Deno.test("a repo over a source cannot be written", async () => {
  const source = new TestSource(store);
  const unsupported = { code: "unsupported" };
  await assert.rejects(Repo.open(new MemoryStore(), alice, { source }), unsupported);
});
