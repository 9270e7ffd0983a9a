/** Two devices of one person as real processes, with real sockets and folders. */

import assert from "node:assert/strict";
import { inTempFolder, portOf, relayProgram, until } from "../suites/cli.ts";
import { Device } from "../suites/device.ts";
import { type RandomSource, randomSource } from "../suites/random.ts";
import { difference, listTree, makeTree } from "../suites/sample_tree.ts";

/** Waits until both folders hold the same, and reports how long that took. */
async function equal(one: Device, two: Device, what: string): Promise<void> {
  const start = performance.now();
  let last: string[] = [];
  try {
    await until(`${what} arrives`, () => {
      last = difference(one.folder, two.folder);
      return last.length === 0;
    });
  } catch (error) {
    const said = [...one.program.lines, "--", ...two.program.lines].slice(-40).join("\n");
    throw new Error(`${(error as Error).message}\n${last.join("\n")}\n${said}`, { cause: error });
  }
  console.log(`  ${what}: ${Math.round(performance.now() - start)} ms until both are equal`);
}

/** Changes of every kind on one side, among the plain files `from`, `from + 1` and so on. */
function change(device: Device, from: number): void {
  const file = (n: number): string => `plain/${(from + n) % 37}/${from + n}.txt`;
  device.write(file(0), "edited\n");
  device.write(file(1), "");
  device.write(`new/by ${from}/file`, `new of ${from}`);
  device.write(`new/by ${from}/tool`, "#!/bin/sh\n", 0o755);
  device.rename(file(2), `renamed ${from}.txt`);
  device.rename(file(3), `plain/${(from + 3) % 37}/renamed ${from}`);
  device.remove(file(4));
  if (Deno.build.os === "windows") return;
  Deno.chmodSync(`${device.folder}/${file(5)}`, 0o755);
  device.remove(file(6));
  Deno.symlinkSync(`../../odd/100%`, `${device.folder}/${file(6)}`);
}

async function changeBothWays(one: Device, two: Device): Promise<void> {
  change(one, 100);
  await equal(one, two, "a set of changes from the first");
  assert.equal(two.read("plain/26/100.txt"), "edited\n");
  assert.ok(!two.has("plain/30/104.txt"), "deleted");
  change(two, 200);
  await equal(one, two, "a set of changes from the second");
  assert.equal(one.read("renamed 200.txt"), two.read("renamed 200.txt"));
  change(one, 300);
  change(two, 400);
  await equal(one, two, "changes on both sides at once");
  assert.ok(one.has("new/by 400/tool") && two.has("new/by 300/tool"));
  for (const device of [one, two]) {
    const other = device === one ? two : one;
    const size = listTree(device.folder).size;
    device.rename("plain/7", "moved");
    await equal(one, two, "a folder under another name");
    assert.equal(listTree(other.folder).size, size);
    device.rename("moved", "plain/7");
    await equal(one, two, "the folder under its old name");
    assert.equal(listTree(other.folder).size, size);
  }
}

async function replaceFolders(one: Device, two: Device): Promise<void> {
  one.remove("plain/1");
  one.write("plain/1", "a file now");
  await equal(one, two, "a file in the place of a folder");
  assert.equal(two.read("plain/1"), "a file now");
  two.remove("plain/1");
  two.write("plain/1/again/a", "a folder again");
  await equal(one, two, "a folder in the place of a file");
  assert.equal(one.read("plain/1/again/a"), "a folder again");
}

function editApart(one: Device, two: Device): void {
  one.write("only-one.txt", "one");
  two.write("only-two.txt", "two");
  one.write("lines.txt", "first by one\nsecond\nthird\nfourth\nfifth\n");
  two.write("lines.txt", "first\nsecond\nthird\nfourth\nfifth by two\n");
  one.write("same-line.txt", "by one\n");
  two.write("same-line.txt", "by two\n");
  one.write("picture.bin", Uint8Array.of(255, 1));
  two.write("picture.bin", Uint8Array.of(255, 2));
  one.write("new-on-both.txt", "of one");
  two.write("new-on-both.txt", "of two");
  one.write("new-and-same.txt", "agreed");
  two.write("new-and-same.txt", "agreed");
  one.remove("deleted-and-edited.txt");
  two.write("deleted-and-edited.txt", "edited by two");
  two.remove("edited-and-deleted.txt");
  one.write("edited-and-deleted.txt", "edited by one");
  one.remove("deleted-on-both.txt");
  two.remove("deleted-on-both.txt");
}

/** Both sides change while one is not running; nothing that either wrote may be missing after. */
async function partAndMeet(one: Device, two: Device): Promise<void> {
  one.write("lines.txt", "first\nsecond\nthird\nfourth\nfifth\n");
  one.write("same-line.txt", "original\n");
  one.write("picture.bin", Uint8Array.of(255, 0));
  for (const name of ["deleted-and-edited", "edited-and-deleted", "deleted-on-both"]) {
    one.write(`${name}.txt`, "original");
  }
  await equal(one, two, "what both will change");

  assert.equal((await two.program.stop()).code, 0);
  const seen = one.program.lines.length;
  editApart(one, two);
  await one.program.line(/committed .*same-line|committed .* more /, seen);
  two.start();
  await two.program.line(/files /);
  await equal(one, two, "what both changed apart");

  const contents = [...listTree(one.folder).keys()].filter((path) => !path.includes("/"));
  const versions = (stem: string): string[] =>
    contents.filter((path) => path.startsWith(stem)).map((path) => one.read(path)).sort();
  assert.equal(one.read("only-one.txt"), "one");
  assert.equal(one.read("only-two.txt"), "two");
  assert.deepEqual(versions("lines"), ["first by one\nsecond\nthird\nfourth\nfifth by two\n"]);
  assert.deepEqual(versions("same-line"), ["by one\n", "by two\n"]);
  assert.deepEqual(versions("new-on-both"), ["of one", "of two"]);
  assert.deepEqual(versions("new-and-same"), ["agreed"]);
  assert.deepEqual(versions("picture"), ["\ufffd\x01", "\ufffd\x02"]);
  assert.deepEqual(versions("deleted-and-edited"), ["edited by two"]);
  assert.deepEqual(versions("edited-and-deleted"), ["edited by one"]);
  assert.deepEqual(versions("deleted-on-both"), []);
}

async function withSeed(test: (random: RandomSource) => Promise<void>): Promise<void> {
  const random = randomSource();
  try {
    await test(random);
  } catch (error) {
    throw new Error(`failed with ${random.seed}`, { cause: error });
  }
}

Deno.test("two devices hold the same files, whoever changes them, and lose nothing when apart", async () => {
  await withSeed((random) =>
    inTempFolder(async (top) => {
      makeTree(`${top}/one`, random);
      await using one = new Device("one", top, ["--web", "0"]);
      const origin = `localhost:${await portOf(one.program)}`;
      await using two = new Device("two", top, ["--origin", origin]);
      await two.program.line(/files /);
      await equal(one, two, `a folder of ${listTree(one.folder).size} files`);
      await changeBothWays(one, two);
      await replaceFolders(one, two);
      await partAndMeet(one, two);
      for (const { program } of [one, two]) {
        const { code, stderr } = await program.stop();
        assert.deepEqual({ code, stderr }, { code: 0, stderr: [] });
      }
    })
  );
});

Deno.test("two devices meet at a relay that knows neither, one after the other", async () => {
  await withSeed((random) =>
    inTempFolder(async (top) => {
      await using relay = relayProgram(`${top}/relay-data`);
      const origin = ["--origin", `localhost:${await portOf(relay)}`];
      makeTree(`${top}/one`, random, 300);
      await using one = new Device("one", top, origin);
      await one.program.line(/acknowledged everything/);
      // The relay alone has it now.
      assert.equal((await one.program.stop()).code, 0);
      await using two = new Device("two", top, origin);
      await two.program.line(/files /);
      await equal(one, two, "a folder that only the relay holds");
      one.start();
      await one.program.line(/files /);
      change(one, 40);
      change(two, 80);
      await equal(one, two, "changes on both sides, by way of the relay");
      await partAndMeet(one, two);
    })
  );
});
