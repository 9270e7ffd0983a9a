import assert from "node:assert/strict";
import { browserTest } from "../suites/browser.ts";
import { PageStore, STORE_SCRIPT } from "../suites/page_store.ts";
import { storeSteps } from "../suites/store.ts";
import { withPage } from "./pages.ts";

browserTest("IndexedDbStore keeps what every store promises", async (page, context) => {
  await withPage(STORE_SCRIPT, async (url) => {
    await page.goto(url);
    await page.waitForSelector("html[data-ready]");
    let count = 0;
    await storeSteps(context, async () => {
      const name = `store-${count++}`;
      const open = () => PageStore.open(page, name);
      return { store: await open(), reopen: open, dispose: () => Promise.resolve() };
    });
  });
});

/** A repo over IndexedDB: what the page did is in `globalThis.done`. */
const WRITER = `
  const { IndexedDbStore } = await import("@streamo/streamo/web");
  const signer = await Signer.fromSeed("page", new Uint8Array(32).fill(7));
  const registry = new Registry({ store: await IndexedDbStore.open() });
  globalThis.repo = await registry.open(signer);
  globalThis.watching = registry.watch(new AbortController().signal);
  globalThis.film = Uint8Array.from({ length: 300000 }, (_, i) => i * i >> 7);
`;

browserTest("a repo in IndexedDB is there after the page is loaded again", async (page) => {
  await withPage(WRITER, async (url) => {
    await page.goto(url);
    await page.waitForSelector("html[data-ready]");
    await page.evaluate(`(async () => {
      repo.set({ notes: Object.fromEntries(Array.from({ length: 500 }, (_, i) => ["n" + i, i])) });
      await repo.flush();
      await repo.putBytes(["film"], new Blob([film]).stream());
      for (let i = 0; i < 20; i++) { repo.publish({ i }); await repo.flush(); }
    })()`);
    await page.reload();
    await page.waitForSelector("html[data-ready]");
    const read = await page.evaluate(`(async () => {
      const parts = await Array.fromAsync(repo.readBytes(["film"], { start: 100000, end: 200000 }));
      const bytes = await new Blob(parts).bytes();
      const events = await repo.read(() => repo.events({ last: 3 }));
      return {
        note: await repo.load("notes", "n321"),
        isSame: bytes.length === 100000 && bytes.every((byte, i) => byte === film[100000 + i]),
        events: events.map(({ value }) => value.i),
        seq: repo.lastRecord.seq,
      };
    })()`);
    assert.deepEqual(read, { note: 321, isSame: true, events: [17, 18, 19], seq: 21 });
  });
});

browserTest("two tabs over one IndexedDB that write at once end with all of it", async (page) => {
  await withPage(WRITER, async (url) => {
    const other = await page.context().newPage();
    for (const tab of [page, other]) {
      await tab.goto(url);
      await tab.waitForSelector("html[data-ready]");
    }
    const write = (name: string) =>
      `(async () => { for (let i = 0; i < 20; i++) {
        repo.set("${name}" + i, i);
        await repo.flush();
      } })()`;
    await Promise.all([page.evaluate(write("a")), other.evaluate(write("b"))]);
    const all = Array.from({ length: 20 }, (_, i) => [`a${i}`, `b${i}`]).flat().sort();
    for (const tab of [page, other]) {
      // The last news of the other tab may be on its way.
      await tab.evaluate(`new Promise((resolve) => {
        const look = () => repo.read(() => repo.size()).then((size) => size === 40 && resolve());
        repo.on("change", look);
        look();
      })`);
      assert.deepEqual(await tab.evaluate("repo.read(() => [...repo.keys()])"), all);
    }
    const heads = await Promise.all([page, other].map((tab) => tab.evaluate("repo.head.blocks")));
    assert.equal(heads[0], heads[1]);
  });
});
