import assert from "node:assert/strict";
import { concat } from "../../../core/bytes.ts";
import { type Code, StreamoError } from "../../../core/errors.ts";
import { MemoryStore } from "../../../core/log/memory_store.ts";
import type { BlockSource } from "../../../core/log/source.ts";
import type { Fetch } from "../../../core/platform.ts";
import { Repo } from "../../../core/repo/repo.ts";
import { FileSource } from "../../../core/sync/file_source.ts";
import { HttpSource } from "../../../core/sync/http_source.ts";
import { fileServer, logFiles } from "../../suites/file_server.ts";
import { signerOf } from "../../suites/people.ts";
import { noise, type RelayWorld, relayWorld } from "../../suites/relay_world.ts";
import { testCrypto as crypto } from "../../suites/test_log.ts";

const alice = await signerOf("alice");
const film = noise(24 * 2 ** 20);
const url = "http://relay.test";

/** A relay with 24 MB of alice's: a film among 300 small files, and some changes after it. */
async function filled(): Promise<RelayWorld> {
  const world = await relayWorld();
  const repo = await Repo.open(world.store, alice);
  repo.transaction((draft) => {
    draft.set("films", "one", film);
    for (let i = 0; i < 300; i++) draft.set("notes", `n${i}`, `note ${i} `.repeat(30));
  });
  await repo.flush();
  for (let i = 0; i < 20; i++) {
    repo.set("notes", "n7", `change ${i}`);
    await repo.flush();
  }
  return world;
}

const world = await filled();
const relayFetch: Fetch = async (url, init) => await world.relay.fetch(new Request(url, init));
const files = await logFiles(world.store, alice.key);

/** `fetch`, counted. */
function counted(fetch: Fetch): { fetch: Fetch; requests: string[]; bytes: () => number } {
  const requests: string[] = [];
  let bytes = 0;
  return {
    requests,
    bytes: () => bytes,
    fetch: async (url, init) => {
      requests.push(url);
      const response = await fetch(url, init);
      const body = await response.bytes();
      bytes += body.length;
      const { status, headers } = response;
      return new Response(status === 304 ? null : body, { status, headers });
    },
  };
}

const SOURCES: [string, Fetch, (fetch: Fetch) => BlockSource][] = [
  ["a relay", relayFetch, (fetch) => new HttpSource(url, { fetch })],
  ["a file server", fileServer(files), (fetch) => new FileSource(`${url}/log`, { fetch, crypto })],
];

const openWith = (source: BlockSource) => Repo.open(new MemoryStore(), alice.key, { source });

for (const [name, fetch, make] of SOURCES) {
  Deno.test(`a repo over ${name} reads everything that the relay holds`, async () => {
    const full = await Repo.open(world.store, alice.key);
    const repo = await openWith(make(fetch));
    assert.deepEqual(await repo.load("notes"), full.get("notes"));
    assert.deepEqual(await repo.read(() => [...repo.history()]), [...full.history()]);
    const part = await Array.fromAsync(repo.readBytes(["films", "one"], { start: 10_000_000 }));
    assert.deepEqual(concat(part), film.subarray(10_000_000));
  });

  Deno.test(`10 KB out of 24 MB over ${name} take few requests`, async () => {
    const { fetch: counting, requests, bytes } = counted(fetch);
    const repo = await openWith(make(counting));
    const range = { start: 12_000_000, end: 12_010_240 };
    const part = concat(await Array.fromAsync(repo.readBytes(["films", "one"], range)));
    assert.deepEqual(part, film.subarray(range.start, range.end));
    // A file server knows no paths: the blocks that one leads through are asked for one by one.
    const most = name === "a relay" ? 2 : 8;
    assert.ok(requests.length <= most, `${requests.length} requests: ${requests.join("\n")}`);
    assert.ok(bytes() <= 192 * 1024, `${bytes()} bytes`);
  });
}

Deno.test("what servers answer instead is refused by their name, within bounds", async () => {
  const endless = () => {
    let left = 100;
    const pull = (controller: ReadableStreamDefaultController<Uint8Array>) => {
      assert.ok(left-- > 0, "an endless answer is read on and on");
      controller.enqueue(new Uint8Array(65_536));
    };
    return new Response(new ReadableStream({ pull }));
  };
  const refuses = JSON.stringify({ error: "refused", message: "not for you" });
  const cases: [string, Code, () => Response][] = [
    ["a page", "malformed", () => new Response("<html>")],
    ["an endless answer", "too_large", endless],
    ["an error", "unreachable", () => new Response("oh no", { status: 500 })],
    ["a refusal", "refused", () => new Response(refuses, { status: 403 })],
    ["a made-up code", "unreachable", () => new Response('{"error":"toString"}', { status: 500 })],
    ["no object", "unreachable", () => new Response("null", { status: 500 })],
    ["no answer", "unreachable", () => {
      throw new TypeError("connection refused");
    }],
    ["half an answer", "unreachable", () =>
      new Response(
        new ReadableStream({ pull: (controller) => controller.error(new Error("reset")) }),
      )],
  ];
  for (const [name, fetch, make] of SOURCES) {
    for (const [what, code, answer] of cases) {
      const isRefused = (error: unknown) => {
        assert.ok(error instanceof StreamoError, `${name}, ${what}: ${error}`);
        assert.equal(error.code, code, `${name}, ${what}: ${error.message}`);
        assert.ok(error.message.startsWith(url), error.message);
        return true;
      };
      // deno-lint-ignore require-await
      const broken: Fetch = async () => answer();
      await assert.rejects(openWith(make(broken)), isRefused);
      const later: Fetch = (url, init) =>
        /[/](head|proof)$/.test(url) ? fetch(url, init) : broken(url);
      const read = async () => await (await openWith(make(later))).load("notes");
      await assert.rejects(read, isRefused);
    }
  }
});

Deno.test("files that do not fit together are refused", async () => {
  const leaves = files.get("leaves")!;
  const log = files.get("log")!;
  const flipped = (bytes: Uint8Array, at: number) => bytes.with(at, bytes[at] ^ 1);
  const cases: [string, Code, [string, Uint8Array][]][] = [
    ["a changed block", "bad_block", [["log", flipped(log, log.length - 5)]]],
    ["a changed leaf", "bad_block", [["leaves", flipped(leaves, leaves.length - 45)]]],
    ["a changed leaf far away", "bad_block", [["leaves", flipped(leaves, 20)]]],
    ["too few leaves", "missing_block", [["leaves", leaves.slice(40)]]],
    ["a short log", "missing_block", [["log", log.slice(0, -1)]]],
    ["a block of too many bytes", "malformed", [["leaves", flipped(leaves, 4)]]],
  ];
  for (const [name, code, changes] of cases) {
    const fetch = fileServer(new Map([...files, ...changes]));
    const open = openWith(new FileSource(url, { fetch, crypto }));
    await assert.rejects(open, { code }, name);
  }
});

Deno.test("a file server that ignores byte ranges is refused, not read to its end", async () => {
  const whole: Fetch = (url) => fileServer(files)(url);
  const open = openWith(new FileSource(url, { fetch: whole, crypto }));
  await assert.rejects(open, { code: "unsupported" });
});
