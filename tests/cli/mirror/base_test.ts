import assert from "node:assert/strict";
import { Base } from "../../../cli/mirror/base.ts";
import { StreamoError } from "../../../core/errors.ts";

const owner = { repo: "r", folder: "/f" };
const stat = { size: 1, mtime: 2.5, ctime: 3, ino: 4, mode: 5 };

async function inTemp(test: (file: string) => Promise<void>): Promise<void> {
  const folder = await Deno.makeTempDir();
  try {
    await test(`${folder}/base`);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

async function fill(file: string): Promise<Base> {
  const base = await Base.load(file, owner);
  base.set('a\nb \ud83d\ude00"', { hash: "h1", id: "i1", executable: true, stat });
  base.set("c", { hash: "h2", id: "i2", executable: false, stat: undefined });
  base.set("gone", { hash: "h3", id: "i3", executable: false, stat });
  base.delete("gone");
  await base.save();
  return base;
}

Deno.test("Base.load() gives back what was saved", () =>
  inTemp(async (file) => {
    const base = await fill(file);
    const again = await Base.load(file, owner);
    assert.deepEqual(new Map(again.entries), new Map(base.entries));
    assert.equal(again.entries.size, 2);
    assert.equal(again.damage, undefined);
  }));

Deno.test("Base.load() starts empty after a cut at any byte, says so, and keeps the file", () =>
  inTemp(async (file) => {
    await fill(file);
    const bytes = await Deno.readFile(file);
    for (let length = 0; length < bytes.length; length++) {
      await Deno.writeFile(file, bytes.subarray(0, length));
      const base = await Base.load(file, owner);
      assert.equal(base.entries.size, 0, `cut at ${length}`);
      assert.ok(base.damage);
      assert.equal((await Deno.stat(`${file}.damaged`)).size, length);
    }
  }));

Deno.test("Base.load() refuses a base of another repo and does not use one of another folder", () =>
  inTemp(async (file) => {
    await fill(file);
    await assert.rejects(
      Base.load(file, { ...owner, repo: "s" }),
      (error) => error instanceof StreamoError && error.code === "wrong_key",
    );
    assert.equal((await Base.load(file, { ...owner, folder: "/g" })).entries.size, 0);
  }));
