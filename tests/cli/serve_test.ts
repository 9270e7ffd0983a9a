/** What the command serves: the folder as a site, and the repo's value, over a real socket. */

import assert from "node:assert/strict";
import { inTempFolder, person, portOf, streamo } from "../suites/cli.ts";
import { noise, oddNames, write } from "../suites/sample_tree.ts";
import { randomSource } from "../suites/random.ts";

const PAGE = "<!doctype html><title>Home</title><p>hello";
const SCRIPT = 'const greeting: string = "hello";\nexport { greeting };\n';

interface Site {
  readonly key: string;
  readonly video: Uint8Array;
  readonly get: (path: string, headers?: HeadersInit, method?: string) => Promise<Response>;
  readonly edit: (path: string, content: string) => Promise<void>;
}

async function withSite(args: readonly string[], test: (site: Site) => Promise<void>) {
  await inTempFolder(async (top) => {
    const files = `${top}/files`;
    const video = noise(2_500_000, randomSource(7));
    write(`${files}/index.html`, PAGE);
    write(`${files}/style.css`, "p { color: red }\n");
    write(`${files}/app.ts`, SCRIPT);
    write(`${files}/film.mp4`, video);
    write(`${files}/tool.sh`, "#!/bin/sh\n", 0o755);
    // Looks in the value like the key below which files can be.
    if (args.length === 0) write(`${files}/files`, "#!/bin/sh\n", 0o755);
    write(`${files}/docs/index.html`, "<!doctype html><p>docs");
    for (const [n, name] of oddNames().entries()) write(`${files}/odd/${name}`, `odd ${n}`);
    await using program = streamo(
      [...person(`${top}/data`), "--files", files, "--web", "0", ...args],
    );
    const [, key] = await program.line(/ key +(\S+)/);
    const port = await portOf(program);
    await program.line(/committed/);
    await test({
      key,
      video,
      get: (path, headers, method = "GET") =>
        fetch(`http://localhost:${port}${path}`, { headers, method, redirect: "manual" }),
      edit: async (path, content) => {
        const from = program.lines.length;
        write(`${files}/${path}`, content);
        await program.line(/committed/, from);
      },
    });
    const { code, stderr } = await program.stop();
    assert.deepEqual({ code, stderr }, { code: 0, stderr: [] });
  });
}

async function checkPages({ get, edit }: Site): Promise<void> {
  const types = {
    "/": /^text\/html/,
    "/index.html": /^text\/html/,
    "/style.css": /^text\/css/,
    "/film.mp4": /^video\/mp4/,
    "/docs/": /^text\/html/,
  };
  for (const [path, type] of Object.entries(types)) {
    const response = await get(path);
    assert.equal(response.status, 200, path);
    assert.match(response.headers.get("content-type")!, type);
    await response.body?.cancel();
  }
  assert.match(await (await get("/")).text(), /<script type="importmap">[^]*hello$/);
  const redirect = await get("/docs");
  assert.equal(redirect.status, 307);
  assert.match(redirect.headers.get("location")!, /\/docs\/$/);
  await redirect.body?.cancel();
  const lost = await get("/nothing/here");
  assert.equal(lost.status, 404);
  await lost.body?.cancel();
  await edit("404.html", "<p>not found, says the author");
  const own = await get("/nothing/here", { accept: "text/html" });
  assert.equal(own.status, 404);
  assert.match(await own.text(), /says the author/);
}

async function checkConditions({ get, edit, video }: Site): Promise<void> {
  const first = await get("/film.mp4");
  const tag = first.headers.get("etag")!;
  assert.match(tag, /^"[^"]+"$/, "a strong ETag");
  assert.deepEqual(await first.bytes(), video);
  const same = await get("/film.mp4", { "if-none-match": tag });
  assert.deepEqual([same.status, await same.text()], [304, ""]);
  const style = (await get("/style.css", {}, "HEAD")).headers.get("etag")!;
  await edit("style.css", "p { color: blue }\n");
  assert.equal((await get("/film.mp4", { "if-none-match": tag }, "HEAD")).status, 304);
  const changed = await get("/style.css", { "if-none-match": style });
  assert.deepEqual([changed.status, await changed.text()], [200, "p { color: blue }\n"]);

  for (
    const [range, from, to] of [["1000000-1999999", 1e6, 2e6], ["-10", -10, undefined]] as const
  ) {
    const part = await get("/film.mp4", { range: `bytes=${range}` });
    assert.equal(part.status, 206);
    assert.deepEqual(await part.bytes(), video.slice(from, to));
  }
  const beyond = await get("/film.mp4", { range: "bytes=2500000-" });
  assert.equal(beyond.status, 416);
  assert.equal(beyond.headers.get("content-range"), "bytes */2500000");
  await beyond.body?.cancel();
  const stale = await get("/film.mp4", { range: "bytes=0-9", "if-range": '"other"' });
  assert.equal(stale.status, 200);
  await stale.body?.cancel();
  const head = await get("/film.mp4", {}, "HEAD");
  assert.deepEqual([head.status, await head.text()], [200, ""]);
  assert.equal(head.headers.get("content-length"), "2500000");
  assert.equal(head.headers.get("etag"), tag);
}

async function checkNames({ get, key }: Site): Promise<void> {
  for (const [n, name] of oddNames().entries()) {
    for (const at of ["", `/streams/${key}`]) {
      const response = await get(`${at}/odd/${encodeURIComponent(name)}`);
      assert.equal(await response.text(), `odd ${n}`, JSON.stringify(name));
    }
  }
  for (const path of ["/..%2f..%2fetc/passwd", "/odd/%00", "/odd/%ff", "/.streamo-secret"]) {
    const response = await get(path);
    assert.ok([400, 404].includes(response.status), `${path}: ${response.status}`);
    await response.body?.cancel();
  }
}

Deno.test("a mirrored folder is served as a site", async () => {
  await withSite([], async (site) => {
    await checkPages(site);
    await checkConditions(site);
    await checkNames(site);
    const place = encodeURIComponent(JSON.stringify(["tool.sh"]));
    const value = await (await site.get(`/streams/${site.key}?path=${place}`)).json();
    assert.deepEqual(value, { executable: true, content: "#!/bin/sh\n" });
  });
});

Deno.test("files below a key of the value are served in the same way", async () => {
  await withSite(["--files-key", "files"], async (site) => {
    await checkPages(site);
    await checkConditions(site);
    const response = await site.get(`/streams/${site.key}?path=files`);
    assert.match(response.headers.get("content-type")!, /^application\/json/);
    const files = await response.json();
    assert.equal(files["index.html"], PAGE);
    assert.equal(files["app.ts"], SCRIPT);
    const about = await (await site.get("/.well-known/streamo")).json();
    assert.equal(about.home, site.key);
    const nobody = await site.get(`/streams/${"a".repeat(52)}`);
    assert.ok([400, 404].includes(nobody.status), `${nobody.status}`);
    await nobody.body?.cancel();
  });
});
