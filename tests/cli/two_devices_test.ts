/** Two devices of one person as real processes, with real sockets and folders. */

import assert from "node:assert/strict";
import { inTempFolder, portOf, type Program, relayProgram, until } from "../suites/cli.ts";
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

/** Both sides change below `at` while they are parted; nothing that either wrote may be missing. */
async function partAndMeet(
  [one, two]: readonly [Device, Device],
  at: string,
  { part, meet }: { part: () => Promise<void>; meet: () => Promise<void> },
): Promise<void> {
  one.write(`${at}/lines.txt`, "first\nsecond\nthird\nfourth\nfifth\n");
  one.write(`${at}/same-line.txt`, "original\n");
  one.write(`${at}/picture.bin`, Uint8Array.of(255, 0));
  for (const name of ["deleted-and-edited", "edited-and-deleted", "deleted-on-both"]) {
    one.write(`${at}/${name}.txt`, "original");
  }
  await equal(one, two, `what both will change (${at})`);
  await part();
  editApart(one, two, at);
  for (const device of [one, two]) if (device.program.isRunning) await committed(device, at);
  await meet();
  await equal(one, two, `what both changed (${at})`);
  checkNothingLost(one, at);
}

/** Waits until the device has committed all that was written: a mark that is written last. */
async function committed(device: Device, at: string): Promise<void> {
  // A line names the first few files only.
  const mark = `${at}/!${device.label}`;
  device.write(mark, "");
  await device.program.line(new RegExp(`committed .*${mark}`));
}

function editApart(one: Device, two: Device, at: string): void {
  const pairs: readonly [string, string | Uint8Array, string | Uint8Array][] = [
    [
      "lines.txt",
      "first by one\nsecond\nthird\nfourth\nfifth\n",
      "first\nsecond\nthird\nfourth\nfifth by two\n",
    ],
    ["same-line.txt", "by one\n", "by two\n"],
    ["picture.bin", Uint8Array.of(255, 1), Uint8Array.of(255, 2)],
    ["new-on-both.txt", "of one", "of two"],
    ["new-and-same.txt", "agreed", "agreed"],
  ];
  for (const [name, ofOne, ofTwo] of pairs) {
    one.write(`${at}/${name}`, ofOne);
    two.write(`${at}/${name}`, ofTwo);
  }
  one.write(`${at}/only-one.txt`, "one");
  two.write(`${at}/only-two.txt`, "two");
  one.remove(`${at}/deleted-and-edited.txt`);
  two.write(`${at}/deleted-and-edited.txt`, "edited by two");
  two.remove(`${at}/edited-and-deleted.txt`);
  one.write(`${at}/edited-and-deleted.txt`, "edited by one");
  for (const device of [one, two]) device.remove(`${at}/deleted-on-both.txt`);
}

function checkNothingLost(device: Device, at: string): void {
  const paths = [...listTree(device.folder).keys()];
  const versions = (stem: string): string[] =>
    paths.filter((path) => path.startsWith(`${at}/${stem}`)).map((path) => device.read(path))
      .sort();
  assert.deepEqual(versions("lines"), ["first by one\nsecond\nthird\nfourth\nfifth by two\n"]);
  assert.deepEqual(versions("same-line"), ["by one\n", "by two\n"]);
  assert.deepEqual(versions("picture"), ["\ufffd\x01", "\ufffd\x02"]);
  assert.deepEqual(versions("new-on-both"), ["of one", "of two"]);
  assert.deepEqual(versions("new-and-same"), ["agreed"]);
  assert.deepEqual([versions("only-one"), versions("only-two")], [["one"], ["two"]]);
  assert.deepEqual(versions("deleted-and-edited"), ["edited by two"]);
  assert.deepEqual(versions("edited-and-deleted"), ["edited by one"]);
  assert.deepEqual(versions("deleted-on-both"), []);
}

/** One of two does not run while both folders change. */
function stopped(device: Device): { part: () => Promise<void>; meet: () => Promise<void> } {
  return {
    part: async () => assert.equal((await device.program.stop()).code, 0),
    meet: async () => {
      device.start();
      await device.program.line(/files /);
    },
  };
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
      await partAndMeet([one, two], "two stopped", stopped(two));
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
      const port = await portOf(relay);
      const origin = ["--origin", `localhost:${port}`];
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
      await partAndMeet([one, two], "one stopped", stopped(one));
      // Both commit, and find at the relay that the other was faster.
      let restarted: Program | undefined;
      await partAndMeet([one, two], "relay stopped", {
        part: async () => assert.equal((await relay.stop()).code, 0),
        meet: async () => {
          restarted = relayProgram(`${top}/relay-data`, port);
          await portOf(restarted);
        },
      }).finally(() => restarted?.kill());
    })
  );
});
