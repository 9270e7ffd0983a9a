import assert from "node:assert/strict";
import { browserTest } from "../suites/browser.ts";
import { withPage } from "./pages.ts";

const CONNECTS = `
  const statuses = [];
  const options = globalThis.signer && { signers: [signer] };
  const session = connect(new Registry({ store: new MemoryStore() }), location.origin, options);
  session.on("status", ({ state, reason }) => statuses.push([state, reason]));
  Object.assign(window, { session, statuses });
`;

browserTest("what a session needs is loaded when it connects, and only then", async (page) => {
  await withPage("window.connect = () => { " + CONNECTS + "};", async (url) => {
    const asked: string[] = [];
    page.on("request", (request) => asked.push(new URL(request.url()).pathname));
    await page.goto(url);
    await page.waitForSelector("html[data-ready]");
    assert(!asked.includes("/streamo/core/sync/conversation.ts"), asked.join("\n"));
    await page.evaluate("connect()");
    await page.waitForFunction("session.status.state === 'online'");
    assert(asked.includes("/streamo/core/sync/conversation.ts"), asked.join("\n"));
    const forWriters = /repo_writer|draft|plan_merge|compaction/;
    assert.deepEqual(asked.filter((path) => forWriters.test(path)), [], "it only reads");
  });
});

browserTest("a session that cannot load what it needs says so and tries again", async (page) => {
  await withPage(CONNECTS, async (url) => {
    let isOffline = true;
    await page.route(
      "**/core/sync/conversation.ts",
      (route) => isOffline ? route.abort() : route.continue(),
    );
    await page.goto(url);
    await page.waitForFunction("statuses.filter(([state]) => state === 'away').length > 1");
    const statuses = await page.evaluate("statuses") as [string, string][];
    const [, reason] = statuses.find(([state]) => state === "away")!;
    assert.match(reason, /^cannot load a part of the library: /);
    isOffline = false;
    await page.waitForFunction("session.status.state === 'online'");
  });
});

const SIGNS = `
  globalThis.signer = await Signer.fromSeed("page", new Uint8Array(32).fill(7));
`;

/** Two repos over one store, as two tabs have them, that write at once. */
const CONFLICTS = `
  const store = new MemoryStore();
  const [one, other] = [await Repo.open(store, signer), await Repo.open(store, signer)];
  other.on("failed", (error) => window.failed = error.code);
  window.conflict = async () => {
    one.set("one", 1);
    await one.flush();
    other.set("other", 2);
    return await other.flush().then(() => other.get(), (error) => error.code);
  };
  window.again = () => other.flush().then(() => other.get());
`;

browserTest("after a session was online, a page that is offline merges", async (page) => {
  await withPage(SIGNS + CONNECTS + CONFLICTS, async (url) => {
    await page.goto(url);
    await page.waitForFunction("session.status.state === 'online'");
    await page.route("**/*", (route) => route.abort());
    assert.deepEqual(await page.evaluate("conflict()"), { one: 1, other: 2 });
  });
});

/** Opens a repo with its signer for the first time. */
const WRITES = `
  window.write = async () => {
    const repo = await Repo.open(new MemoryStore(), signer);
    repo.set("n", 1);
    const stored = await repo.store(new Blob(["film"]).stream());
    repo.set("film", stored);
    const { epoch } = await repo.compact();
    return [epoch, repo.get("n"), repo.size("film")];
  };
`;

browserTest(
  "after a session with signers was online, a page that is offline opens, writes and compacts",
  async (page) => {
    await withPage(SIGNS + CONNECTS + WRITES, async (url) => {
      await page.goto(url);
      await page.waitForFunction("session.status.state === 'online'");
      await page.route("**/*", (route) => route.abort());
      assert.deepEqual(await page.evaluate("write()"), [1, 1, 4]);
    });
  },
);

browserTest("what cannot be merged offline is kept, and merged at a later flush", async (page) => {
  await withPage(SIGNS + CONFLICTS, async (url) => {
    await page.goto(url);
    await page.waitForSelector("html[data-ready]");
    await page.route("**/*", (route) => route.abort());
    assert.equal(await page.evaluate("conflict()"), "unreachable");
    assert.equal(await page.evaluate("failed"), "unreachable");
    await page.unroute("**/*");
    assert.deepEqual(await page.evaluate("again()"), { one: 1, other: 2 });
  });
});
