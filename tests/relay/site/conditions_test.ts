import assert from "node:assert/strict";
import { keyOf, relayWorld } from "../../suites/relay_world.ts";
import { BIG, LONG_TEXT, site } from "./home_site.ts";

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
