/** Each thing that can go wrong when the command starts: one sentence, its exit code, nothing lost. */

import assert from "node:assert/strict";
import {
  inTempFolder,
  person,
  portOf,
  type ProgramOptions,
  relayProgram,
  streamo,
  until,
} from "../suites/cli.ts";
import { NOBODY } from "../suites/as_nobody.ts";
import { listTree, noise, write } from "../suites/sample_tree.ts";
import { randomSource } from "../suites/random.ts";
import { EXIT_CODES } from "../../relay/exit_codes.ts";

const unix = Deno.build.os !== "windows";
const AS_NOBODY = "tests/suites/as_nobody.ts";

interface Failing extends ProgramOptions {
  readonly args: readonly string[];
  readonly code: number;
  readonly message: RegExp;
  readonly script?: string;
}

/** Runs the command, which must fail with one line of `message` and this code. */
async function fails({ args, code, message, ...options }: Failing): Promise<void> {
  await using program = streamo(args, options);
  const ending = await program.ended;
  assert.equal(ending.stderr.length, 1, ending.stderr.join("\n"));
  assert.match(ending.stderr[0], /^streamo: \S.*[^.]$/);
  assert.match(ending.stderr[0], message);
  assert.equal(ending.code, code, ending.stderr[0]);
}

const { usage, locked, refused, damaged } = EXIT_CODES;

Deno.test("options that make no sense end with code 2 and say which", async (t) => {
  const who = ["--name", "notes", "--username", "alice"];
  const cases: readonly {
    name: string;
    args: string[];
    message: RegExp;
    env?: ProgramOptions["env"];
  }[] = [
    { name: "no name", args: [], message: /--name is missing \(or STREAMO_NAME\)/ },
    { name: "no user", args: ["--name", "n"], message: /--username is missing/ },
    { name: "an unknown flag", args: [...who, "--frob"], message: /unknown option '--frob'/ },
    { name: "an argument", args: [...who, "extra"], message: /unknown argument "extra"/ },
    { name: "a flag without value", args: [...who, "--web"], message: /'--web <port>'.*missing/ },
    { name: "no port", args: [...who, "--web", "x"], message: /--web is not a port: "x"/ },
    { name: "a port past the last", args: [...who, "--web", "65536"], message: /"65536" \(0 to/ },
    { name: "no key", args: [...who, "--key", "abc"], message: /--key is not a key: "abc"/ },
    {
      name: "no relay",
      args: [...who, "--origin", "ftp://a"],
      message: /--origin is .*"ftp:\/\/a"/,
    },
    { name: "no env file", args: [...who, "--env-file", "gone"], message: /--env-file "gone"/ },
    {
      name: "a name with a space behind",
      args: ["--name", "n ", "--username", "u"],
      message: /dataset name .*space: "n "/,
    },
    {
      name: "no password and no terminal",
      args: who,
      env: { STREAMO_PASSWORD: "" },
      message: /no terminal to ask for a password: set STREAMO_PASSWORD/,
    },
  ];
  await inTempFolder(async (cwd) => {
    for (const { name, ...one } of cases) {
      await t.step(name, () => fails({ ...one, cwd, code: usage }));
    }
    assert.deepEqual([...Deno.readDirSync(cwd)], [], "nothing was made");
  });
});

Deno.test("--help prints the options and the exit codes", async () => {
  await using program = streamo(["--help"]);
  const { code, stdout, stderr } = await program.ended;
  assert.deepEqual({ code, stderr }, { code: 0, stderr: [] });
  assert.match(stdout.join("\n"), /--files <folder>[^]*Exit codes: 0 /);
});

Deno.test("flags go before variables, variables before --env-file", async () => {
  await inTempFolder(async (top) => {
    write(
      `${top}/vars`,
      [
        "STREAMO_NAME='from file'",
        "STREAMO_USERNAME=file",
        "STREAMO_PASSWORD=file",
        `STREAMO_DATA_DIR="${top}/data"`,
        "STREAMO_WEB=not a port",
        "",
      ].join("\n"),
    );
    const env = { STREAMO_USERNAME: "variable", STREAMO_WEB: "also not", STREAMO_PASSWORD: "" };
    await using program = streamo(["--env-file", `${top}/vars`, "--web", "0"], { env });
    await program.line(/streamo: from file of variable$/);
    await portOf(program);
    const [, key] = await program.line(/ key +(\S+)/);
    await program.stop();
    // The password of the file was taken: an empty variable is one that is not set.
    await using again = streamo(
      ["--name", "from file", "--username", "variable", "--data-dir", `${top}/data`],
      { env: { STREAMO_PASSWORD: "file" } },
    );
    assert.equal((await again.line(/ key +(\S+)/))[1], key);
    await again.line(/ data /);
  });
});

Deno.test("folders and ports that are not to be had end with code 2", async () => {
  await inTempFolder(async (top) => {
    write(`${top}/file`, "kept");
    const args = person(`${top}/data`);
    const taken = Deno.listen({ port: 0, hostname: "127.0.0.1" });
    const { port } = taken.addr;
    const message = new RegExp(`port ${port} is in use; choose another with --web`);
    await fails({ args: [...args, "--web", `${port}`], code: usage, message });
    taken.close();
    await fails({
      args: [...args, "--web", "0", "--host", "203.0.113.1"],
      code: usage,
      message: /cannot listen on 203\.0\.113\.1:0/,
    });
    for (const files of [`${top}/file`, `${top}/file/inside`]) {
      await fails({
        args: [...args, "--files", files],
        code: usage,
        message: /cannot mirror ".*file/,
      });
    }
    await fails({
      args: [...args, "--files", `${top}/data`],
      code: usage,
      message: /cannot mirror ".*data": it is the data directory/,
    });
    await fails({ args: person(`${top}/file`), code: usage, message: /--data-dir: .*file"/ });
    assert.equal(Deno.readTextFileSync(`${top}/file`), "kept");
  });
});

Deno.test("a password or key that does not belong to the dataset ends with code 5", async () => {
  await inTempFolder(async (top) => {
    write(`${top}/files/a.txt`, "a");
    const args = [...person(`${top}/data`), "--files", `${top}/files`];
    await using program = streamo(args);
    const [, key] = await program.line(/ key +(\S+)/);
    await program.line(/committed 1 change: a\.txt/);
    await program.stop();
    const before = listTree(top);
    const message = new RegExp(`has the key ${key}: is the password right\\?`);
    await fails({ args, env: { STREAMO_PASSWORD: "Correct horse" }, code: refused, message });
    assert.deepEqual(withoutLock(listTree(top)), withoutLock(before), "nothing was written");
    const other = "a".repeat(51) + "q";
    const keyed = [...args, "--key", other];
    await fails({ args: keyed, code: refused, message: new RegExp(`${key}, not ${other}`) });
  });
});

Deno.test("a data directory in use ends with code 3 and names the process", async () => {
  await inTempFolder(async (top) => {
    const args = [...person(`${top}/data`), "--files", `${top}/files`];
    await using first = streamo(args);
    await first.line(/ files /);
    await fails({ args, code: locked, message: new RegExp(`process ${first.pid} holds it`) });
    write(`${top}/files/still.txt`, "the first goes on");
    await first.line(/committed 1 change: still\.txt/);
    // The system frees the lock of a process that is gone.
    await first.kill();
    await using next = streamo(args);
    await next.line(/ files /);
  });
});

Deno.test("damage in the data directory ends with code 6 and touches nothing", async (t) => {
  await inTempFolder(async (top) => {
    const files = `${top}/files`;
    for (let n = 0; n < 5; n++) write(`${files}/${n}.bin`, noise(100_000, randomSource(n)));
    const args = [...person(`${top}/data`), "--files", files];
    await using program = streamo(args);
    const [, key] = await program.line(/ key +(\S+)/);
    await program.line(/committed 5 changes/);
    await program.stop();
    const names = `${top}/data/datasets.json`;
    for (const garbage of ["{", "null", "[]", '{"a":1}', ""]) {
      const good = Deno.readTextFileSync(names);
      Deno.writeTextFileSync(names, garbage);
      await t.step(
        `datasets.json holds ${JSON.stringify(garbage)}`,
        () => fails({ args, code: damaged, message: /datasets\.json" is not whole/ }),
      );
      assert.equal(Deno.readTextFileSync(names), garbage);
      Deno.writeTextFileSync(names, good);
    }
    await t.step("a segment without its end", async () => {
      const segment = `${top}/data/${key}/0/0001.log`;
      const bytes = Deno.readFileSync(segment);
      Deno.writeFileSync(segment, bytes.subarray(0, bytes.length / 2));
      const before = withoutLock(listTree(top));
      await fails({ args, code: damaged, message: /is damaged: / });
      assert.deepEqual(withoutLock(listTree(top)), before);
      Deno.writeFileSync(segment, bytes);
    });
    await using again = streamo(args);
    await again.line(/ files /);
    assert.equal((await again.stop()).code, 0);
  });
});

Deno.test("bytes that changed in a segment are never passed on", async () => {
  await inTempFolder(async (top) => {
    write(`${top}/one/big.bin`, noise(1_000_000, randomSource(1)));
    const args = [...person(`${top}/one-data`), "--files", `${top}/one`];
    await using program = streamo(args);
    const [, key] = await program.line(/ key +(\S+)/);
    await program.line(/committed 1 change/);
    await program.stop();
    const segment = `${top}/one-data/${key}/0/0001.log`;
    const bytes = Deno.readFileSync(segment);
    bytes[bytes.length / 2 | 0] ^= 0x10;
    Deno.writeFileSync(segment, bytes);
    await using one = streamo([...args, "--web", "0"]);
    const port = await portOf(one);
    const served = fetch(`http://localhost:${port}/big.bin`).then((response) => {
      assert.ok(response.ok);
      return response.bytes();
    });
    await assert.rejects(served);
    const origin = ["--origin", `localhost:${port}`];
    await using two = streamo([...person(`${top}/two-data`), "--files", `${top}/two`, ...origin]);
    await two.line(/damaged/);
    await two.line(/ files /);
    await two.stop();
    assert.deepEqual([...listTree(`${top}/two`).keys()], []);
  });
});

Deno.test({
  name: "a folder that cannot be read is not taken for an empty one",
  ignore: !unix,
  fn: () =>
    inTempFolder(async (top) => {
      write(`${top}/files/sub/kept.txt`, "kept");
      write(`${top}/files/other.txt`, "1");
      if (Deno.uid() === 0) give(top, NOBODY);
      const args = [...person(`${top}/data`), "--files", `${top}/files`];
      const options = { script: AS_NOBODY };
      await using first = streamo(args, options);
      await first.line(/committed 2 changes/);
      await first.stop();

      Deno.chmodSync(`${top}/files/sub`, 0);
      await using second = streamo([...args, "--web", "0"], options);
      const [, key] = await second.line(/ key +(\S+)/);
      await second.line(/left out sub: .*ermission denied.*\(storage\)/);
      write(`${top}/files/other.txt`, "2");
      await second.line(/committed 1 change: other\.txt/);
      const response = await fetch(`http://localhost:${await portOf(second)}/streams/${key}`);
      assert.deepEqual(await response.json(), { "other.txt": "2", "sub/kept.txt": "kept" });
      const told = second.lines.filter((line) => /cannot watch/.test(line));
      assert.equal(told.length, 1, "it is told once that the folder cannot be watched");
      await second.stop();

      Deno.chmodSync(`${top}/files`, 0);
      await fails({ ...options, args, code: usage, message: /cannot mirror ".*ermission denied/ });
      Deno.chmodSync(`${top}/files`, 0o700);
      Deno.chmodSync(`${top}/files/sub`, 0o700);
      assert.equal(Deno.readTextFileSync(`${top}/files/sub/kept.txt`), "kept");
    }),
});

function give(path: string, uid: number): void {
  Deno.chownSync(path, uid, uid);
  if (!Deno.lstatSync(path).isDirectory) return;
  for (const { name } of Deno.readDirSync(path)) give(`${path}/${name}`, uid);
}

Deno.test("a data directory inside the folder is not mirrored, whatever it is called", async () => {
  await inTempFolder(async (top) => {
    write(`${top}/a.txt`, "a");
    await using program = streamo([...person(`${top}/inside/data`), "--files", top, "--web", "0"]);
    await program.line(/committed 1 change: a\.txt/);
    write(`${top}/inside/b.txt`, "b");
    await program.line(/committed 1 change: inside\/b\.txt/);
    const [, key] = await program.line(/ key +(\S+)/);
    const response = await fetch(`http://localhost:${await portOf(program)}/streams/${key}`);
    assert.deepEqual(await response.json(), { "a.txt": "a", "inside/b.txt": "b" });
    await program.stop();
  });
});

Deno.test("an origin that is not there is tried again, later and later, and then gets everything", async () => {
  await inTempFolder(async (top) => {
    const free = Deno.listen({ port: 0, hostname: "127.0.0.1" });
    const { port } = free.addr;
    free.close();
    write(`${top}/files/a.txt`, "a");
    const args = [...person(`${top}/data`), "--files", `${top}/files`];
    await using program = streamo([...args, "--origin", `localhost:${port}`]);
    const [, key] = await program.line(/ key +(\S+)/);
    const delays: number[] = [];
    for (let from = 0; delays.length < 3;) {
      const away = await program.line(/is away: .+; next try in ([\d.]+) s/, from);
      from = program.lines.indexOf(away.input, from) + 1;
      delays.push(Number(away[1]));
    }
    assert.ok(delays[2] > delays[0], `${delays}`);
    await program.line(/committed 1 change: a\.txt/);
    await using relay = relayProgram(`${top}/relay-data`, port);
    await portOf(relay);
    await program.line(/acknowledged everything \(\d+ block/);
    const response = await fetch(`http://localhost:${port}/streams/${key}`);
    assert.deepEqual(await response.json(), { "a.txt": "a" });
    await relay.stop();
    await program.line(
      /is away: .*; next try in/,
      program.lines.findIndex((line) => /acknow/.test(line)),
    );
    const { code, stderr } = await program.stop();
    assert.deepEqual({ code, stderr }, { code: 0, stderr: [] });
  });
});

Deno.test("an origin that is no relay is named, and the folder is kept here", async () => {
  await inTempFolder(async (top) => {
    let asked = 0;
    await using server = Deno.serve({ port: 0, hostname: "127.0.0.1", onListen: () => {} }, () => {
      asked++;
      return new Response("hello");
    });
    write(`${top}/files/a.txt`, "a");
    const args = [...person(`${top}/data`), "--files", `${top}/files`];
    await using program = streamo([...args, "--origin", `localhost:${server.addr.port}`]);
    await program.line(/localhost:\d+\/sync is away: connection failed.*200/);
    await program.line(/committed 1 change: a\.txt/);
    await until("it is tried again", () => asked > 1);
    const { code, stdout, stderr } = await program.stop();
    assert.deepEqual({ code, stderr }, { code: 0, stderr: [] });
    assert.match(stdout.at(-1)!, /NOT acknowledged by .*: 1 block; kept here/);
  });
});

/** A tree without the lock, in which every process writes its number. */
function withoutLock(tree: Map<string, string>): Map<string, string> {
  return new Map([...tree].filter(([path]) => !/(^|\/)data\/lock$/.test(path)));
}
