import assert from "node:assert/strict";
import { Desk } from "./memory_tree.ts";

Deno.test("a file that is edited after the scan is not overwritten or deleted", async () => {
  for (const age of ["fresh", "old"]) {
    await using desk = await Desk.open();
    const paths = ["a", "b", "c", "d"];
    for (const path of paths) desk.write(path, "old\n");
    if (age === "old") { for (const path of paths) Deno.utimeSync(desk.at(path), 1_000, 1_000); }
    await desk.sync();
    for (const path of ["a", "c", "d"]) desk.tree.put(path, "there\n");
    desk.tree.remove("b");
    let opens = 0;
    desk.tree.beforeOpen = (path) => {
      // The folder was scanned; the last of four looks is the one that is written to the folder.
      if (path === "a" && opens++ === 0) {
        desk.write("a", "late a\n");
        desk.write("b", "late b\n");
        desk.write("c", "LC\n\n");
        const { atime, mtime } = Deno.statSync(desk.at("d"));
        desk.write("d", "LD\n\n");
        // Only the content tells, if the clock has not moved on to the next second since.
        if (age === "fresh") Deno.utimeSync(desk.at("d"), atime ?? 0, mtime ?? 0);
      }
    };
    const report = await desk.sync();
    assert.equal(report.pending, false);
    const texts = Object.values(desk.listing());
    for (const text of ["late a\n", "late b\n", "LC\n\n", "LD\n\n", "there\n"]) {
      assert.ok(texts.includes(text), `${age}: ${text}`);
    }
    assert.deepEqual(desk.repoListing(), desk.listing());
  }
});

Deno.test("a file that is edited while its new version arrives is not overwritten", async () => {
  for (const age of [1_000, undefined]) {
    await using desk = await Desk.open();
    desk.write("c", "old\n");
    if (age) Deno.utimeSync(desk.at("c"), age, age);
    await desk.sync();
    desk.tree.put("c", "there\n");
    let opens = 0;
    desk.tree.beforeOpen = () => {
      // First to compare, then to write.
      if (++opens !== 2) return;
      const { atime, mtime } = Deno.statSync(desk.at("c"));
      desk.write("c", "LC\n\n");
      if (!age) Deno.utimeSync(desk.at("c"), atime ?? 0, mtime ?? 0);
    };
    await desk.sync();
    assert.deepEqual(Object.values(desk.listing()).sort(), ["LC\n\n", "there\n"]);
    assert.deepEqual(desk.repoListing(), desk.listing());
  }
});

Deno.test("a file that appears where a download is to go is not overwritten", async () => {
  await using desk = await Desk.open();
  desk.tree.put("a", "there");
  desk.tree.beforeOpen = () => {
    desk.tree.beforeOpen = () => undefined;
    desk.write("a", "here");
  };
  await desk.sync();
  assert.deepEqual(Object.values(desk.listing()).sort(), ["here", "there"]);
  assert.deepEqual(desk.repoListing(), desk.listing());
});

Deno.test("a change of the repo after it was listed is not overwritten", async () => {
  await using desk = await Desk.open();
  desk.write("a", "1");
  desk.write("b", "1");
  await desk.sync();
  desk.write("a", "here");
  desk.remove("b");
  desk.tree.beforeCommit = () => {
    desk.tree.beforeCommit = () => undefined;
    desk.tree.put("a", "there");
    desk.tree.put("b", "there");
  };
  await desk.sync();
  assert.deepEqual(desk.listing(), {
    "a": "there",
    "a.conflict-2026-01-31-deviceaa": "here",
    "b": "there",
  });
  assert.deepEqual(desk.repoListing(), desk.listing());
});

Deno.test("a file that is written while it is streamed is sent again", async () => {
  await using desk = await Desk.open();
  const large = new Uint8Array(3 << 20).fill(1);
  desk.write("large", large);
  Deno.utimeSync(desk.at("large"), 1_000, 1_000);
  const commit = desk.tree.commit.bind(desk.tree);
  let torn: Uint8Array | undefined;
  desk.tree.commit = async (changes, message) => {
    desk.tree.commit = commit;
    const [change] = changes;
    assert.ok(change.kind === "file");
    const content = await change.content();
    assert.ok(content instanceof ReadableStream);
    const passed = content.pipeThrough(
      new TransformStream<Uint8Array, Uint8Array>({
        transform(part, controller): void {
          controller.enqueue(part);
          // The first part is on its way; the rest will be another version.
          if (torn === undefined) desk.write("large", large.fill(2));
          torn ??= part;
        },
      }),
    );
    return await commit([{ ...change, content: () => Promise.resolve(passed) }], message);
  };
  await desk.sync();
  assert.equal(torn?.[0], 1);
  const held = desk.tree.entries.get("large")?.held;
  assert.ok(held && "content" in held && held.content.every((byte) => byte === 2));
});

/** Calls `act` at the last moment before the first call of a function of Deno. */
function justBefore(name: "renameSync" | "removeSync", act: () => void): Disposable {
  const original = Deno[name];
  const restore = () => Object.assign(Deno, { [name]: original });
  const hooked = (...args: unknown[]) => {
    restore();
    act();
    return (original as (...args: unknown[]) => void)(...args);
  };
  Object.assign(Deno, { [name]: hooked });
  return { [Symbol.dispose]: restore };
}

Deno.test("what is written in the very moment in which a file is replaced or deleted is kept", async () => {
  for (const name of ["renameSync", "removeSync"] as const) {
    await using desk = await Desk.open();
    desk.write("a", "old\n");
    await desk.sync();
    if (name === "renameSync") desk.tree.put("a", "there\n");
    else desk.tree.remove("a");
    const append = () => Deno.writeTextFileSync(desk.at("a"), "late\n", { append: true });
    using _hook = justBefore(name, append);
    for (let pending = true; pending;) ({ pending } = await desk.sync());
    assert.ok(Object.values(desk.listing()).some((text) => text.includes("late\n")), name);
    assert.deepEqual(desk.repoListing(), desk.listing());
  }
});
