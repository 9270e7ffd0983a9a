import assert from "node:assert/strict";
import { StreamoError } from "../../../core/errors.ts";
import { MemoryStore } from "../../../core/log/memory_store.ts";
import type { Store } from "../../../core/log/store.ts";
import { Library } from "../../../relay/library/library.ts";
import { Packages } from "../../../relay/library/packages.ts";
import { keyOf, noise, relayWorld } from "../../suites/relay_world.ts";

const BIG = noise(300_000);
const LONG_TEXT = "All work and no play makes a dull page.\n".repeat(500);

const FILES = {
  "index.html": "<!doctype html><head><title>home</title></head><h1>home</h1>",
  "style.css": "h1 { color: red }",
  "docs/index.html": "<h1>docs</h1>",
  "docs/a b/ü%.txt": "name",
  "docs/deep/page.html": "<h1>deep</h1>",
  "empty.txt": "",
  "big.bin": BIG,
  "long.txt": LONG_TEXT,
  "README": "plain",
  "blob": new Uint8Array([0, 255]),
  "run.sh": { content: "#!/bin/sh", executable: true },
  "latest": { symlink: "docs" },
  "link.css": { symlink: "./style.css" },
  "docs/up.css": { symlink: "../style.css" },
  "chain": { symlink: "link.css" },
  "loop-a": { symlink: "loop-b" },
  "loop-b": { symlink: "loop-a" },
  "into-itself": { symlink: "into-itself/x" },
  "etc/passwd": "of the repo, not of the machine",
  "out": { symlink: "../../etc/passwd" },
  "absolute": { symlink: "/style.css" },
  "broken": { symlink: "nowhere" },
  "odd": { other: 1 },
};

async function site(files: Record<string, unknown> = FILES) {
  const world = await relayWorld();
  await world.write("home", { files, name: "not a file" });
  return world;
}

Deno.test("a site gives each file with its type", async () => {
  const { get } = await site();
  const cases: [string, string, string][] = [
    ["/style.css", "text/css; charset=utf-8", "h1 { color: red }"],
    ["/docs/a%20b/%C3%BC%25.txt", "text/plain; charset=utf-8", "name"],
    ["/empty.txt", "text/plain; charset=utf-8", ""],
    ["/README", "text/plain; charset=utf-8", "plain"],
    ["/run.sh", "application/x-sh; charset=utf-8", "#!/bin/sh"],
    ["/link.css", "text/css; charset=utf-8", "h1 { color: red }"],
    ["/chain", "text/css; charset=utf-8", "h1 { color: red }"],
    ["/docs/up.css", "text/css; charset=utf-8", "h1 { color: red }"],
    ["/latest/a%20b/%C3%BC%25.txt", "text/plain; charset=utf-8", "name"],
    ["/latest/up.css", "text/css; charset=utf-8", "h1 { color: red }"],
  ];
  for (const [path, type, text] of cases) {
    const response = await get(path);
    assert.equal(response.status, 200, path);
    assert.equal(response.headers.get("content-type"), type, path);
    assert.equal(response.headers.get("x-content-type-options"), "nosniff");
    assert.equal(response.headers.get("cache-control"), "no-cache");
    assert.equal(response.headers.get("content-length"), String(new Blob([text]).size), path);
    assert.equal(await response.text(), text, path);
  }
  const blob = await get("/blob");
  assert.equal(blob.headers.get("content-type"), "application/octet-stream");
  assert.deepEqual(await blob.bytes(), new Uint8Array([0, 255]));
  assert.deepEqual(await (await get("/big.bin")).bytes(), BIG);
});

Deno.test("a folder is its index.html, after a redirect that adds the slash", async () => {
  const { get } = await site();
  for (const path of ["/", "/docs/", "/latest/", "/index.html"]) {
    const response = await get(path);
    assert.equal(response.status, 200, path);
    assert.match(await response.text(), /<h1>/, path);
  }
  const cases: [string, string][] = [
    ["/docs", "http://relay.test/docs/"],
    ["/latest", "http://relay.test/latest/"],
    ["/docs?a=b&c=%2F", "http://relay.test/docs/?a=b&c=%2F"],
  ];
  for (const [path, target] of cases) {
    const response = await get(path);
    assert.equal(response.status, 307, path);
    const location = response.headers.get("location")!;
    assert.ok(!URL.canParse(location), `${location} is relative`);
    assert.equal(new URL(location, new URL(path, "http://relay.test")).href, target);
  }
});

Deno.test("a redirect never leads to another host", async () => {
  const { get } = await site({ "/evil.example/index.html": "x", "a:b/index.html": "y" });
  for (const url of ["http://relay.test//evil.example", "http://relay.test/a:b"]) {
    const response = await get(url);
    assert.equal(response.status, 307, url);
    assert.equal(new URL(response.headers.get("location")!, url).host, "relay.test");
  }
});

Deno.test("what leads nowhere in the repo is not found", async () => {
  const { get } = await site();
  const paths = [
    "/nothing",
    "/style.css/",
    "/docs/deep",
    "/docs//index.html",
    "//",
    "/docs%2Findex.html",
    "/docs/..%2Fstyle.css",
    "/..%2f..%2fetc/passwd",
    "/loop-a",
    "/into-itself",
    "/out",
    "/absolute",
    "/broken",
    "/odd",
    "/name",
    "/files",
    "/docs%5Cindex.html",
    "/%00",
    `/${"a/".repeat(3000)}b`,
  ];
  for (const path of paths) {
    const response = await get(`http://relay.test${path}`);
    assert.equal(response.status, 404, path);
    assert.equal((await response.json()).error, "not_found", path);
  }
});

Deno.test("a path that climbs stays on the site", async () => {
  const { get } = await site();
  const response = await get("/docs/../../../style.css");
  assert.equal(await response.text(), "h1 { color: red }");
});

Deno.test("a bad escape is a bad request", async () => {
  const { get } = await site();
  for (const path of ["/%", "/a%zz", "/%ff%fe", "/%c3"]) {
    const response = await get(path);
    assert.equal(response.status, 400, path);
    assert.equal((await response.json()).error, "malformed");
  }
});

Deno.test("a flat map that is the whole value is a site too", async () => {
  const { get, write } = await relayWorld();
  await write("home", { "index.html": "<p>flat", "a.txt": "a" });
  assert.equal(await (await get("/a.txt")).text(), "a");
  assert.match(await (await get("/")).text(), /<p>flat/);
});

Deno.test("any repo is under /streams/KEY/, and at KEY.host on its own", async () => {
  const { get, write } = await relayWorld();
  await write("home", { "a.txt": "home's" });
  await write("alice", { "a.txt": "alice's", "head": "a file called head" });
  const alice = await keyOf("alice");
  assert.equal(await (await get("/a.txt")).text(), "home's");
  assert.equal(await (await get(`/streams/${alice}/a.txt`)).text(), "alice's");
  assert.equal(await (await get(`http://${alice}.relay.test:8080/a.txt`)).text(), "alice's");
  const head = await get(`http://${alice.toUpperCase()}.relay.test/head`);
  assert.equal(await head.text(), "a file called head");
  const other = await get(`http://${"a".repeat(52)}x.relay.test/a.txt`);
  assert.equal(await other.text(), "home's");
});

Deno.test("ETags differ between repos at one path and stay when other files change", async () => {
  const { get, write } = await relayWorld();
  const large = LONG_TEXT;
  await write("home", { "small.txt": "s", "large.txt": large, "other.txt": "1" });
  await write("alice", { "small.txt": "s", "large.txt": large, "other.txt": "1" });
  const alice = await keyOf("alice");
  const tag = async (path: string) => (await get(path)).headers.get("etag")!;
  const before = [await tag("/small.txt"), await tag("/large.txt"), await tag("/other.txt")];
  for (const etag of before) assert.match(etag, /^"[^"]+"$/);
  assert.notEqual(before[0], await tag(`/streams/${alice}/small.txt`));
  assert.notEqual(before[1], await tag(`/streams/${alice}/large.txt`));
  await write("home", { "small.txt": "s", "large.txt": large, "other.txt": "2" });
  assert.equal(await tag("/small.txt"), before[0]);
  assert.equal(await tag("/large.txt"), before[1]);
  assert.notEqual(await tag("/other.txt"), before[2]);
});

Deno.test("If-None-Match answers 304 without a body, for each form its own", async () => {
  const { get } = await site();
  for (const path of ["/style.css", "/long.txt", "/big.bin", "/", "/run.sh", "/link.css"]) {
    for (const encoding of ["identity", "gzip"]) {
      const accept = { "accept-encoding": encoding };
      const first = await get(path, accept);
      await first.body?.cancel();
      const etag = first.headers.get("etag")!;
      for (const names of [etag, `W/${etag}`, `"x", ${etag}`, "*"]) {
        const again = await get(path, { ...accept, "if-none-match": names });
        assert.equal(again.status, 304, `${path} ${encoding} ${names}`);
        assert.equal(again.headers.get("etag"), etag);
        assert.equal(again.headers.get("vary"), first.headers.get("vary"));
        assert.equal(again.headers.get("cache-control"), first.headers.get("cache-control"));
        assert.equal(again.body, null);
      }
      const other = await get(path, { ...accept, "if-none-match": '"other"' });
      assert.equal(other.status, 200);
      await other.body?.cancel();
    }
  }
});

Deno.test("text is compressed for who accepts it, under a strong ETag of its own", async () => {
  const { get } = await site();
  const plain = await get("/long.txt");
  const zipped = await get("/long.txt", { "accept-encoding": "gzip, br" });
  assert.equal(zipped.headers.get("content-encoding"), "gzip");
  assert.match(zipped.headers.get("etag")!, /^"[^"]+"$/);
  assert.notEqual(zipped.headers.get("etag"), plain.headers.get("etag"));
  for (const response of [plain, zipped]) {
    assert.equal(response.headers.get("vary"), "Accept-Encoding");
  }
  const text = zipped.body!.pipeThrough(new DecompressionStream("gzip"));
  assert.equal(await new Response(text).text(), await plain.text());
  for (
    const [path, headers] of [
      ["/big.bin", {}],
      ["/style.css", {}],
      ["/long.txt", { range: "bytes=0-9" }],
    ] as const
  ) {
    const response = await get(path, { "accept-encoding": "gzip", ...headers });
    assert.equal(response.headers.get("content-encoding"), null, path);
    await response.body?.cancel();
  }
});

Deno.test("ranges give their part", async () => {
  const { get } = await site();
  const cases: [string, number, number][] = [
    ["bytes=0-0", 0, 1],
    ["bytes=5-", 5, BIG.length],
    ["bytes=-7", BIG.length - 7, BIG.length],
    ["bytes=100000-250000", 100_000, 250_001],
    [`bytes=${BIG.length - 1}-${BIG.length * 2}`, BIG.length - 1, BIG.length],
  ];
  for (const [range, start, end] of cases) {
    const response = await get("/big.bin", { range });
    assert.equal(response.status, 206, range);
    const total = BIG.length;
    assert.equal(response.headers.get("content-range"), `bytes ${start}-${end - 1}/${total}`);
    assert.equal(response.headers.get("content-length"), String(end - start));
    assert.deepEqual(await response.bytes(), BIG.slice(start, end));
  }
});

Deno.test("what is no single range gives the whole, what lies past the end 416", async () => {
  const { get } = await site();
  for (const range of ["bytes=0-1,4-5", "bytes=9-2", "chapters=1-2"]) {
    const response = await get("/big.bin", { range });
    assert.equal(response.status, 200, range);
    assert.equal((await response.bytes()).length, BIG.length);
  }
  const past = await get("/big.bin", { range: `bytes=${BIG.length}-` });
  assert.equal(past.status, 416);
  assert.equal(past.headers.get("content-range"), `bytes */${BIG.length}`);
  assert.equal((await get("/empty.txt", { range: "bytes=0-" })).status, 416);
});

Deno.test("If-Range gives the part of what the client has, else the whole", async () => {
  const { get } = await site();
  const first = await get("/big.bin", {}, "HEAD");
  const etag = first.headers.get("etag")!;
  const cases: [string, number][] = [
    [etag, 206],
    [`W/${etag}`, 200],
    ['"other"', 200],
    ["Sat, 31 Jan 2026 12:00:00 GMT", 200],
  ];
  for (const [ifRange, status] of cases) {
    const response = await get("/big.bin", { range: "bytes=0-3", "if-range": ifRange });
    assert.equal(response.status, status, ifRange);
    await response.body?.cancel();
  }
});

Deno.test("HEAD gives the headers of GET and no body", async () => {
  const { get } = await site();
  for (
    const path of ["/", "/style.css", "/big.bin", "/long.txt", "/nothing", "/docs", "/empty.txt"]
  ) {
    const asked: Record<string, string>[] = [
      {},
      { "accept-encoding": "gzip" },
      { range: "bytes=1-2" },
    ];
    for (const headers of asked) {
      const full = await get(path, headers);
      const head = await get(path, headers, "HEAD");
      assert.equal(head.status, full.status, path);
      assert.deepEqual([...head.headers], [...full.headers], path);
      assert.equal(head.body, null);
      await full.body?.cancel();
    }
  }
});

Deno.test("other methods are refused with what is possible", async () => {
  const { get } = await site();
  for (const method of ["POST", "PUT", "DELETE", "PATCH", "OPTIONS", "PROPFIND"]) {
    for (const path of ["/", "/streams/x", "/healthz"]) {
      const response = await get(path, {}, method);
      assert.equal(response.status, 405, `${method} ${path}`);
      assert.equal(response.headers.get("allow"), "GET, HEAD");
      assert.equal((await response.json()).error, "unsupported");
    }
  }
});

Deno.test("a page of another origin may ask for ranges and conditions", async () => {
  const { get } = await site();
  const headers = { "access-control-request-method": "GET", origin: "null" };
  const preflight = await get("/style.css", headers, "OPTIONS");
  assert.equal(preflight.status, 204);
  assert.match(preflight.headers.get("access-control-allow-headers")!, /if-none-match/);
  assert.equal((await get("/style.css")).headers.get("access-control-allow-origin"), "*");
});

Deno.test("?at= gives a past state, for ever if it is past", async () => {
  const { get, write } = await relayWorld();
  const repo = await write("home", { "a.txt": "one" });
  await write("home", { "a.txt": "two" });
  const seqs = [repo.lastRecord!.seq - 1, repo.lastRecord!.seq];
  const time = new Date(repo.lastRecord!.time + 60_000).toISOString();
  const cases: [string, string, boolean][] = [
    [`/a.txt?at=${seqs[0]}`, "one", true],
    [`/a.txt?at=${seqs[1]}`, "two", true],
    [`/a.txt?at=${seqs[1] + 1}`, "two", false],
    [`/a.txt?at=${time}`, "two", false],
    ["/a.txt", "two", false],
  ];
  for (const [path, text, immutable] of cases) {
    const response = await get(path);
    assert.equal(await response.text(), text, path);
    assert.equal(response.headers.get("cache-control")!.includes("immutable"), immutable, path);
  }
  assert.equal((await get("/a.txt?at=1999-01-01")).status, 404);
  for (const at of ["yesterday", "-1", "1.5e400", "%00"]) {
    assert.equal((await get(`/a.txt?at=${at}`)).status, 400, at);
  }
});

Deno.test("the repo's own 404.html is what people see", async () => {
  const { get } = await site({ "404.html": "<h1>gone fishing</h1>" });
  for (const accept of ["text/html", "*/*"]) {
    const response = await get("/nothing", { accept });
    assert.equal(response.status, 404);
    assert.equal(response.headers.get("content-type"), "text/html; charset=utf-8");
    assert.match(await response.text(), /gone fishing/);
  }
  const program = await get("/nothing", { accept: "application/json" });
  assert.deepEqual((await program.json()).error, "not_found");
});

Deno.test("HTML gets the import map, under an ETag that is not the bare file's", async () => {
  const { get } = await site();
  const response = await get("/");
  const html = await response.text();
  assert.match(html, /<head><script type="importmap">\{"imports":\{/);
  const map = JSON.parse(/importmap">(.*?)<\/script>/.exec(html)![1]);
  assert.equal(map.imports["@streamo/streamo"], "/streamo/mod.ts");
  assert.equal(map.imports["@streamo/streamo/web"], "/streamo/web/mod.ts");
  assert.equal(map.imports["@streamo/streamo/"], "/streamo/");
  assert.equal(response.headers.get("content-length"), String(new Blob([html]).size));
  const part = await get("/", { range: "bytes=20-60" });
  assert.equal(await part.text(), html.slice(20, 61));
});

Deno.test("HTML under another import map has another ETag, other files keep theirs", async () => {
  const { get, store } = await site();
  const library = new Library(new URL("../../../", import.meta.url), new Packages([]));
  const other = await relayWorld({ library }, store);
  const tag = async (ask: typeof get, path: string) => {
    const response = await ask(path);
    await response.body?.cancel();
    return response.headers.get("etag");
  };
  assert.notEqual(await tag(get, "/"), await tag(other.get, "/"));
  assert.equal(await tag(get, "/style.css"), await tag(other.get, "/style.css"));
});

Deno.test("pages under the shared origin are sandboxed, those with their own origin are not", async () => {
  const { get, write } = await site();
  await write("alice", { "index.html": "<p>", "404.html": "<p>", "x.svg": "<svg/>" });
  const alice = await keyOf("alice");
  const policy = async (url: string) => {
    const response = await get(url, { accept: "text/html" });
    await response.body?.cancel();
    return response.headers.get("content-security-policy");
  };
  const shared = ["/", "/index.html", "/x.svg", "/nothing", "/%", "/log", "/head", "?path=x.y", ""];
  for (const path of shared) {
    const value = await policy(`/streams/${alice}${path}`);
    assert.match(value ?? "none", /^sandbox allow-scripts/, path);
    assert.doesNotMatch(value!, /allow-same-origin/);
    assert.match(
      await policy(`http://${alice}.relay.test/streams/${alice}${path}`) ?? "",
      /sandbox/,
    );
  }
  for (const url of ["/", "/nothing", `http://${alice}.relay.test/`]) {
    assert.equal(await policy(url), null, url);
  }
});

Deno.test("errors are JSON for programs and a page for people, without markup from the URL", async () => {
  const { get } = await relayWorld();
  const url = "/streams/nokey<script>alert(1)</script>/x";
  const program = await get(url);
  assert.equal(program.headers.get("content-type"), "application/json");
  const page = await get(url, { accept: "text/html" });
  assert.equal(page.headers.get("content-type"), "text/html; charset=utf-8");
  assert.doesNotMatch(await page.text(), /<script>/);
});

Deno.test("a relay without the home repo says so", async () => {
  const { get } = await relayWorld();
  const home = await keyOf("home");
  const missing = await get("/");
  assert.equal(missing.status, 404);
  assert.match((await missing.json()).message, new RegExp(home));
  const none = await (await relayWorld({ home: undefined })).get("/");
  assert.match((await none.json()).message, /no home repo/);
});

Deno.test("asking for keys that nobody stored creates nothing", async () => {
  const { get, store, registry } = await relayWorld();
  for (let i = 0; i < 20; i++) {
    const key = await keyOf(`nobody ${i}`);
    for (const path of ["", "/", "/head", "/log", "/events", "/a/b"]) {
      const response = await get(`/streams/${key}${path}`);
      assert.equal(response.status, 404, path);
      assert.equal((await response.json()).error, "not_found");
    }
  }
  assert.deepEqual(await Array.fromAsync(store.keys()), []);
  assert.equal(registry.size, 0);
  const health = await (await get("/healthz")).json();
  assert.equal(health.openRepos, 0);
});

/** A store whose blocks come asynchronously only, as those of a database do. */
function slowStore(): Store {
  const store = new MemoryStore();
  return {
    head: (key) => store.head(key),
    append: (...append) => store.append(...append),
    blocks: (...range) => store.blocks(...range),
    blockAt: (...place) => store.blockAt(...place),
    hashes: (...range) => store.hashes(...range),
    keys: () => store.keys(),
    drop: (...epochs) => store.drop(...epochs),
    close: () => store.close(),
  };
}

Deno.test("a store without synchronous reads serves the same", async () => {
  const { get, write } = await relayWorld({}, slowStore());
  await write("home", { files: FILES });
  assert.deepEqual(await (await get("/big.bin")).bytes(), BIG);
  assert.equal(await (await get("/latest/up.css")).text(), "h1 { color: red }");
  assert.match(await (await get("/")).text(), /importmap.*<h1>home/);
  const value = await get(`/streams/${await keyOf("home")}?path=files`);
  assert.equal((await value.json())["style.css"], "h1 { color: red }");
});

Deno.test("an error inside is reported and tells the client nothing of itself", async () => {
  const failure = new RangeError("secret detail");
  const store = new MemoryStore();
  store.head = () => Promise.reject(failure);
  const reported: unknown[] = [];
  const { get } = await relayWorld({ onError: (error) => reported.push(error) }, store);
  const response = await get("/");
  assert.equal(response.status, 500);
  assert.doesNotMatch(await response.text(), /secret|\.ts/);
  assert.deepEqual(reported, [failure]);
  store.head = () => Promise.reject(new StreamoError("closed", "the store is closed"));
  assert.equal((await get("/")).status, 503);
});
