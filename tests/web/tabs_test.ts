import assert from "node:assert/strict";
import { MemoryStore } from "../../core/log/memory_store.ts";
import type { Store } from "../../core/log/store.ts";
import { Registry } from "../../core/repo/registry.ts";
import type { Repo } from "../../core/repo/repo.ts";
import { Tabs } from "../../web/tabs.ts";
import { startChainRelay } from "../suites/chain.ts";
import { until } from "../suites/cli.ts";
import { browserTest, type Page } from "../suites/browser.ts";
import { signerOf } from "../suites/people.ts";
import { withPage } from "./pages.ts";

const alice = await signerOf("alice");

/** A tab of the group `name`, with alice's repo. */
async function openTab(
  name: string,
  { store = new MemoryStore(), origins = [] as string[] }: { store?: Store; origins?: string[] } =
    {},
): Promise<{ tabs: Tabs; repo: Repo; registry: Registry }> {
  const registry = new Registry({ store });
  const tabs = await Tabs.open({ registry, name, origins, session: { signers: [alice] } });
  return { tabs, repo: await tabs.subscribe(alice.key), registry };
}

const leaders = (all: readonly { tabs: Tabs }[]) =>
  all.filter(({ tabs }) => tabs.status.isLeader).length;

Deno.test("tabs share what each writes, without any relay; two that write at once are merged", async () => {
  const all = [await openTab("share"), await openTab("share"), await openTab("share")];
  assert.equal(leaders(all), 1);
  all.forEach(({ repo }, i) => repo.set(`tab${i}`, i));
  await until(
    "all have all",
    () =>
      all.every(({ repo }) =>
        repo.get("tab0") === 0 && repo.get("tab1") === 1 && repo.get("tab2") === 2
      ),
  );
  await until(
    "equal heads",
    () => all.every(({ repo }) => repo.head?.root.join() === all[0].repo.head?.root.join()),
  );
  for (const { tabs } of all) tabs.close();
});

Deno.test("when the leading tab is closed another one leads, and nothing is lost", async () => {
  const [first, second, third] = [
    await openTab("lead"),
    await openTab("lead"),
    await openTab("lead"),
  ];
  assert.equal(first.tabs.status.isLeader, true);
  second.repo.set("n", 1);
  await second.tabs.landed(second.repo);
  assert.equal(first.repo.get("n"), 1);
  first.tabs.close();
  second.repo.set("n", 2);
  await until("another one leads", () => leaders([second, third]) === 1);
  await until("they go on", () => third.repo.get("n") === 2);
  for (const { tabs } of [second, third]) tabs.close();
});

Deno.test("only the leading tab is connected to the relay, for all; the next one takes over", async () => {
  const relay = await startChainRelay();
  const origins = [relay.url];
  const first = await openTab("relay", { origins });
  const second = await openTab("relay", { origins });
  const connections = async () => (await (await relay.get("/healthz")).json()).connections;
  second.repo.set("n", 1);
  await until("the relay has it", async () => (await relay.store.head(alice.key)) !== undefined);
  assert.equal(await connections(), 1);
  first.tabs.close();
  second.repo.set("n", 2);
  const written = second.repo.flush();
  await until(
    "the relay has that too",
    async () => (await relay.store.head(alice.key))?.head?.blocks === (await written)?.blocks,
  );
  await until("one connection again", async () => await connections() === 1);
  second.tabs.close();
  await relay.stop();
});

Deno.test("a tab that is gone leaves nothing behind in the leading one", async () => {
  const first = await openTab("gone");
  const second = await openTab("gone");
  const bob = await signerOf("bob");
  await second.tabs.subscribe(bob.key);
  await until("it is open there", () => first.registry.size === 2);
  second.tabs.close();
  first.tabs.unsubscribe(alice.key);
  const { locks } = navigator;
  await until("only the leading tab's locks are held", async () => {
    const { held = [], pending = [] } = await locks.query();
    return held.length === 2 && pending.length === 0;
  });
  first.tabs.close();
});

Deno.test("tabs over one store share it too", async () => {
  const store = new MemoryStore();
  const all = [await openTab("store", { store }), await openTab("store", { store })];
  for (let i = 0; i < 20; i++) {
    all[i % 2].repo.set(`n${i}`, i);
    await all[i % 2].repo.flush();
  }
  await until(
    "both have all",
    () =>
      all.every(({ repo }) =>
        Array.from({ length: 20 }, (_, i) => repo.get(`n${i}`)).every((n, i) => n === i)
      ),
  );
  assert.deepEqual(all[0].repo.head, all[1].repo.head);
  for (const { tabs } of all) tabs.close();
});

/** A page of a group of tabs; `?db`: over the browser's database, which they share. */
const PAGE = `
  const { IndexedDbStore, Tabs } = await import("@streamo/streamo/web");
  const signer = await Signer.fromSeed("page", new Uint8Array(32).fill(7));
  const store = location.search === "?db" ? await IndexedDbStore.open() : new MemoryStore();
  const registry = new Registry({ store });
  globalThis.tabs = await Tabs.open({ registry, session: { signers: [signer] } });
  globalThis.repo = await tabs.subscribe(signer.key);
`;

async function openPages(first: Page, url: string, count: number): Promise<Page[]> {
  const pages = [first];
  while (pages.length < count) pages.push(await first.context().newPage());
  for (const page of pages) {
    await page.goto(url);
    await page.waitForSelector("html[data-ready]");
  }
  return pages;
}

const has = (page: Page, names: readonly string[]) =>
  page.waitForFunction(`${JSON.stringify(names)}.every((name) => repo.get(name) === name)`);

for (const query of ["", "?db"]) {
  const where = query === "" ? "each with its own memory" : "over one database";
  browserTest(
    `pages of one browser, ${where}, share what they write; one leads after another`,
    async (page) => {
      await withPage(PAGE, async (url) => {
        const pages = await openPages(page, url + query, 3);
        await Promise.all(pages.map((page, i) => page.evaluate(`repo.set("p${i}", "p${i}")`)));
        await Promise.all(pages.map((page) => has(page, ["p0", "p1", "p2"])));
        const isLeader = (page: Page) => page.evaluate("tabs.status.isLeader");
        assert.deepEqual(await Promise.all(pages.map(isLeader)), [true, false, false]);
        // Nothing is said: the browser alone knows that the page is gone.
        await pages[0].close();
        await pages[1].waitForFunction("tabs.status.isLeader");
        await pages[2].evaluate(`repo.set("late", "late")`);
        await has(pages[1], ["p0", "late"]);
        await pages[2].close();
        const left =
          `navigator.locks.query().then(({ held, pending }) => held.length + pending.length)`;
        await pages[1].waitForFunction(`${left}.then((count) => count === 2)`);
      });
    },
  );
}
