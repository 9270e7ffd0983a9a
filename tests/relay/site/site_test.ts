import assert from "node:assert/strict";
import { StreamoError } from "../../../core/errors.ts";
import { MemoryStore } from "../../../core/log/memory_store.ts";
import type { Store } from "../../../core/log/store.ts";
import { Library } from "../../../relay/library/library.ts";
import { Packages } from "../../../relay/library/packages.ts";
import { keyOf, relayWorld } from "../../suites/relay_world.ts";
import { BIG, FILES, site } from "./home_site.ts";

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
    asides: (key) => store.asides(key),
    aside: (...place) => store.aside(...place),
    keepAside: (...kept) => store.keepAside(...kept),
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
