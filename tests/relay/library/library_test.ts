import assert from "node:assert/strict";
import { join } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";
import { Library } from "../../../relay/library/library.ts";
import { BROWSER_PACKAGES, Packages } from "../../../relay/library/packages.ts";
import { amaroStripper, platformStripper } from "../../../relay/library/strip_types.ts";
import { relayWorld } from "../../suites/relay_world.ts";

const ROOT = fileURLToPath(new URL("../../../", import.meta.url));

/** The library's TypeScript files that a browser may load, relative to the root. */
async function modules(folder = ROOT, prefix = ""): Promise<string[]> {
  const found: string[] = [];
  for await (const { name, isDirectory } of Deno.readDir(folder)) {
    const wanted = prefix !== "" || name === "core" || name === "web" || name === "mod.ts";
    if (!wanted) continue;
    if (isDirectory) found.push(...await modules(join(folder, name), `${prefix}${name}/`));
    else if (name.endsWith(".ts")) found.push(prefix + name);
  }
  return found;
}

async function withRoot(use: (folder: string, library: Library) => Promise<void>): Promise<void> {
  const folder = await Deno.makeTempDir();
  try {
    await Deno.mkdir(join(folder, "core"));
    await use(folder, new Library(pathToFileURL(`${folder}/`)));
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

Deno.test("every module of core and web comes without types, line by line as in the source", async () => {
  const library = new Library();
  for (const path of await modules()) {
    const file = await library.file(path);
    assert.equal(file?.type, "text/javascript", path);
    const source = await Deno.readTextFile(join(ROOT, path));
    const script = new TextDecoder().decode(file.bytes);
    assert.equal(script.split("\n").length, source.split("\n").length, path);
    assert.doesNotMatch(script, /^(import|export) type /m, path);
  }
});

Deno.test("the package that strips types gives what the platform gives", async () => {
  const amaro = await amaroStripper();
  const platform = platformStripper();
  assert.ok(platform !== undefined);
  for (const path of (await modules()).slice(0, 12)) {
    const source = await Deno.readTextFile(join(ROOT, path));
    assert.equal(amaro(source), platform(source), path);
  }
});

Deno.test("the import map covers every package that core and web import", async () => {
  const { imports } = JSON.parse(await importMapJson());
  for (const path of await modules()) {
    const source = await Deno.readTextFile(join(ROOT, path));
    for (const [, specifier] of source.matchAll(/^(?:import|export)[^;"]*?from "([^."][^"]*)"/gm)) {
      if (specifier.startsWith("node:")) continue;
      const covered = imports[specifier] !== undefined ||
        Object.keys(imports).some((key) => key.endsWith("/") && specifier.startsWith(key));
      assert.ok(covered, `${path} imports "${specifier}", which BROWSER_PACKAGES does not know`);
    }
  }
});

async function importMapJson(): Promise<string> {
  const { bytes } = await new Library().importMap();
  return /^<script type="importmap">(.*)<\/script>$/.exec(new TextDecoder().decode(bytes))![1];
}

Deno.test("the packages are those of deno.json", async () => {
  const { imports } = JSON.parse(await Deno.readTextFile(join(ROOT, "deno.json")));
  for (const { name, version } of BROWSER_PACKAGES) {
    assert.equal(imports[name], `npm:${name}@${version}`);
  }
});

Deno.test("what the import map names is served, for ever, and imports only what is served", async () => {
  const { get } = await relayWorld();
  const { imports } = JSON.parse(await importMapJson());
  const entries = Object.entries<string>(imports).filter(([name]) => !name.endsWith("/"));
  const queue = entries.map(([, url]) => url).filter((url) => url.includes("/npm/"));
  queue.push(imports["@noble/hashes/"] + "sha2.js");
  assert.ok(queue.length >= 3);
  const seen = new Set<string>();
  for (let url = queue.pop(); url !== undefined; url = queue.pop()) {
    if (seen.has(url)) continue;
    seen.add(url);
    const response = await get(url);
    assert.equal(response.status, 200, url);
    assert.equal(response.headers.get("content-type"), "text/javascript; charset=utf-8");
    assert.match(response.headers.get("cache-control")!, /immutable/);
    const code = (await response.text()).replace(/\/\*.*?\*\//gs, "");
    for (const [, specifier] of code.matchAll(/^import .* from ['"](.*)['"]/gm)) {
      const isServed = specifier.startsWith("./") || imports[specifier] !== undefined;
      assert.ok(isServed, `${url} imports "${specifier}"`);
      queue.push(new URL(imports[specifier] ?? specifier, `http://relay.test${url}`).pathname);
    }
  }
});

Deno.test("/streamo/ gives modules with ETags, to pages of any origin", async () => {
  const { get } = await relayWorld();
  const response = await get("/streamo/mod.ts");
  assert.equal(response.headers.get("content-type"), "text/javascript; charset=utf-8");
  assert.equal(response.headers.get("access-control-allow-origin"), "*");
  assert.equal(response.headers.get("cache-control"), "no-cache");
  const etag = response.headers.get("etag")!;
  assert.equal((await get("/streamo/mod.ts", { "if-none-match": etag })).status, 304);
});

Deno.test("only files of the library can be fetched", async () => {
  const { get } = await relayWorld();
  const paths = [
    "",
    "deno.json",
    "LICENSE",
    "relay/main.ts",
    "tests/suites/people.ts",
    "core/SPEC.md",
    "core",
    "core/",
    "core/log",
    "core/nothing.ts",
    "core/errors.ts/x.ts",
    "core/%2e%2e/relay/main.ts",
    "core/..%2frelay%2fmain.ts",
    "core//errors.ts",
    "core/.hidden.ts",
    "core\\..\\relay\\main.ts",
    "/etc/passwd",
    "npm/",
    "npm/hono@4.13.19/dist/index.js",
    "npm/@noble/hashes@2.4.0/package.json",
    "npm/@noble/hashes@2.4.0/../../registry.json",
    "npm/@noble/hashes@2.4.0/..%2f..%2f2.0.1%2fsha2.js",
    "npm/@noble/hashes@2.0.1/sha2.js",
    "npm/@noble/hashes@2.4.0/nothing.js",
    "npm/@noble/hashes@2.4.0//sha2.js",
    "npm/@noble/hashes@2.4.0/sha2.js/x.js",
    "npm/@noble/hashes@2.4.0/.x.js",
  ];
  for (const path of paths) {
    const response = await get(`http://relay.test/streamo/${path}`);
    assert.equal(response.status, 404, path);
    await response.body?.cancel();
  }
});

Deno.test("a file that changed on disk is read again, one that cannot be stripped is an error", async () => {
  await withRoot(async (folder, library) => {
    const read = async () => new TextDecoder().decode((await library.file("core/x.ts"))!.bytes);
    const file = join(folder, "core", "x.ts");
    assert.equal(await library.file("core/x.ts"), undefined);
    await Deno.writeTextFile(file, "export const n: number = 1;");
    assert.equal(await read(), "export const n         = 1;");
    await Deno.writeTextFile(file, "export const name: string = '22';");
    assert.equal(await read(), "export const name         = '22';");
    await Deno.writeTextFile(file, "enum E { a }");
    await assert.rejects(read());
    await Deno.writeTextFile(file, "export const fixed = true;");
    assert.equal(await read(), "export const fixed = true;");
  });
});

Deno.test("/apps/ gives the apps of web/, HTML with the import map", async () => {
  await withRoot(async (folder, library) => {
    await Deno.mkdir(join(folder, "web", "apps", "chat"), { recursive: true });
    await Deno.writeTextFile(
      join(folder, "web", "apps", "chat", "index.html"),
      "<head></head>chat",
    );
    await Deno.writeTextFile(join(folder, "web", "apps", "chat", "main.ts"), "let a: number;");
    const { get } = await relayWorld({ library });
    const redirect = await get("/apps/chat?x=1");
    assert.equal(redirect.status, 307);
    assert.equal(redirect.headers.get("location"), "./chat/?x=1");
    assert.match(await (await get("/apps/chat/")).text(), /^<head><script type="importmap">/);
    assert.equal(await (await get("/apps/chat/main.ts")).text(), "let a        ;");
    assert.equal((await get("/apps/")).status, 404);
    assert.equal((await get("/apps/../core/x.ts")).status, 404);
  });
});

Deno.test("packages that are not on this machine are named", () => {
  const absent = { name: "no-such-package", version: "1.0.0", specifiers: ["no-such-package"] };
  assert.throws(() => new Packages([absent]).imports(), /no-such-package/);
});
