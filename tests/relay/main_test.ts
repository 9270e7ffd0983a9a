import assert from "node:assert/strict";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import type { Signer } from "../../core/identity/signer.ts";
import { MemoryStore } from "../../core/log/memory_store.ts";
import { Registry } from "../../core/repo/registry.ts";
import { connect } from "../../core/sync/session.ts";
import { StreamoError } from "../../core/errors.ts";
import { EXIT_CODES, exitCodeOf, UsageError } from "../../relay/exit_codes.ts";
import { parseOptions } from "../../relay/options.ts";
import { signerOf } from "../suites/people.ts";
import { keyOf } from "../suites/relay_world.ts";

const MAIN = fileURLToPath(new URL("../../relay/main.ts", import.meta.url));

function spawn(dataDir: string, ...args: string[]): Deno.ChildProcess {
  const command = new Deno.Command(Deno.execPath(), {
    args: ["run", "-A", "--no-check", MAIN, "--host", "127.0.0.1", "--data-dir", dataDir, ...args],
    stdin: "null",
    stdout: "piped",
    stderr: "piped",
  });
  return command.spawn();
}

async function withFolder(use: (folder: string) => Promise<void>): Promise<void> {
  const folder = await Deno.makeTempDir();
  try {
    await use(folder);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

/** Reads lines until one matches. */
async function lineOf(
  reader: ReadableStreamDefaultReader<string>,
  pattern: RegExp,
): Promise<RegExpExecArray> {
  let text = "";
  for (;;) {
    const { done, value } = await reader.read();
    assert.ok(!done, `the process ended, having said: ${text}`);
    const match = pattern.exec(text += value);
    if (match !== null) return match;
  }
}

const signals: Deno.Signal[] = Deno.build.os === "windows" ? ["SIGINT"] : ["SIGINT", "SIGTERM"];

Deno.test("the relay says where it listens, answers, and stops at a signal with exit code 0", async () => {
  for (const signal of signals) {
    await withFolder(async (folder) => {
      const child = spawn(folder, "--port", "0", "--name", "tested");
      const reader = child.stdout.pipeThrough(new TextDecoderStream()).getReader();
      const [, url] = await lineOf(reader, /listening on (\S+)/);
      const about = await (await fetch(`${url}.well-known/streamo`)).json();
      assert.equal(about.name, "tested");
      child.kill(signal);
      await lineOf(reader, new RegExp(`stopping after ${signal}`));
      await reader.cancel();
      await child.stderr.cancel();
      assert.equal((await child.status).code, EXIT_CODES.ok);
    });
  }
});

Deno.test("a port in use is one sentence and exit code 2", async () => {
  const listener = Deno.listen({ port: 0, hostname: "127.0.0.1" });
  try {
    await withFolder(async (folder) => {
      const { port } = listener.addr;
      const { code, stderr } = await spawn(folder, "--port", String(port)).output();
      assert.equal(code, EXIT_CODES.usage);
      const text = new TextDecoder().decode(stderr);
      assert.equal(text, `relay: port ${port} is in use; choose another with --port\n`);
    });
  } finally {
    listener.close();
  }
});

Deno.test("a data folder that cannot be made is one sentence and exit code 2", async () => {
  await withFolder(async (folder) => {
    const file = join(folder, "file");
    await Deno.writeTextFile(file, "");
    const { code, stderr } = await spawn(join(file, "data"), "--port", "0").output();
    assert.equal(code, EXIT_CODES.usage);
    const lines = new TextDecoder().decode(stderr).trimEnd().split("\n");
    assert.equal(lines.length, 1);
    assert.match(lines[0], /^relay: cannot make the data folder/);
  });
});

Deno.test("what a relay acknowledged is there when it starts again", async () => {
  await withFolder(async (folder) => {
    const signer = await signerOf("alice");
    for (const n of [0, 1]) {
      const child = spawn(folder, "--port", "0", "--home", signer.key);
      const reader = child.stdout.pipeThrough(new TextDecoderStream()).getReader();
      const [, url] = await lineOf(reader, /listening on (\S+)/);
      const value = await fetch(`${url}streams/${signer.key}`);
      if (n === 1) assert.deepEqual(await value.json(), { n: 0 });
      else assert.equal((await value.json()).error, "not_found");
      if (n === 0) await push(`${url}sync`, signer);
      child.kill("SIGINT");
      await child.status;
      await reader.cancel();
      await child.stderr.cancel();
    }
  });
});

/** Writes to a relay as any device does, and waits until it is acknowledged. */
async function push(url: string, signer: Signer): Promise<void> {
  const registry = new Registry({ store: new MemoryStore() });
  const repo = await registry.open(signer);
  repo.set({ n: 0 });
  await repo.flush();
  const session = connect(registry, url.replace("http", "ws"), { signers: [signer] });
  await session.subscribe(signer.key);
  await session.landed(repo);
  session.close();
}

const none = () => undefined;

Deno.test("parseOptions() takes flags before variables before defaults", async () => {
  const home = await keyOf("home");
  const variables: Record<string, string> = {
    STREAMO_PORT: "81",
    STREAMO_HOME: home,
    STREAMO_KV: "",
  };
  const env = (name: string) => variables[name];
  assert.deepEqual(parseOptions([], none), {
    port: 8080,
    host: "0.0.0.0",
    dataDir: ".streamo",
    kv: undefined,
    home: undefined,
    name: undefined,
    origins: [],
    feeds: [],
    hosts: undefined,
  });
  const hosts = ["--public-host", "a.example, b.example:8080,[::1]"];
  const origins = ["--origin", "a:1", "b", "--feed", home];
  const args = ["--port", "82", "--kv", "x.db", ...hosts, ...origins];
  assert.deepEqual(parseOptions(args, env), {
    port: 82,
    host: "0.0.0.0",
    dataDir: ".streamo",
    kv: "x.db",
    home,
    name: undefined,
    origins: ["ws://a:1/sync", "ws://b/sync"],
    feeds: [home],
    hosts: ["a.example", "b.example:8080", "[::1]"],
  });
});

Deno.test("parseOptions() names what makes no sense", () => {
  const cases: [string[], RegExp][] = [
    [["--port", "x"], /not a port: "x"/],
    [["--port", "65536"], /not a port: "65536"/],
    [["--port", ""], /not a port: ""/],
    [["--home", "x"], /--home is not a key: "x"/],
    [["--origin", "ftp://x"], /--origin is not the address of a relay: "ftp:\/\/x"/],
    [["--origin", "x", "--feed", "y"], /--feed is not a key: "y"/],
    [["--feed", "a".repeat(51) + "a"], /--feed/],
    [["--public-host", "https://a.example"], /"https:\/\/a.example"/],
    [["--public-host", "a.example/sync"], /"a.example\/sync"/],
    [["--public-host", "a b"], /--public-host is not the name of a host: "a b"/],
    [["--prot", "1"], /--prot/],
    [["--port"], /--port/],
    [["extra"], /extra/],
  ];
  for (const [args, message] of cases) {
    const isUsage = (error: unknown) => error instanceof UsageError && message.test(error.message);
    assert.throws(() => parseOptions(args, none), isUsage, args.join(" "));
  }
});

Deno.test("parseOptions() gives the help instead of options", () => {
  const options = parseOptions(["--help"], none);
  assert.ok("help" in options && options.help.includes("STREAMO_DATA_DIR"));
});

Deno.test("exitCodeOf() tells errors apart", () => {
  const cases: [unknown, number][] = [
    [new UsageError("no"), 2],
    [new StreamoError("locked", "held"), 3],
    [new StreamoError("unreachable", "gone"), 4],
    [new StreamoError("refused", "no"), 5],
    [new StreamoError("damaged", "torn"), 6],
    [new StreamoError("not_found", "nothing"), 1],
    [new TypeError("oops"), 1],
  ];
  for (const [error, code] of cases) assert.equal(exitCodeOf(error), code, String(error));
});
