import assert from "node:assert/strict";
import { browserTest, type Page } from "../suites/browser.ts";
import { keyOf, type RelayWorld, relayWorld } from "../suites/relay_world.ts";

async function served(use: (port: number, world: RelayWorld) => Promise<void>): Promise<void> {
  const world = await relayWorld();
  const server = Deno.serve(
    { port: 0, hostname: "127.0.0.1", onListen: () => {} },
    world.relay.fetch,
  );
  try {
    await use(server.addr.port, world);
  } finally {
    world.relay.close();
    await server.shutdown();
  }
}

/** Runs the whole of core in the page: derives a key, signs, stores, verifies, reads back. */
const PAGE = `<!doctype html><title>core</title><output></output>
<script type="module">
  import { MemoryStore, Repo, Signer } from "@streamo/streamo";
  const signer = await Signer.fromSeed("page", new Uint8Array(32).fill(7));
  const store = new MemoryStore();
  const repo = await Repo.open(store, signer);
  repo.set({ name: "alice", n: 41, when: new Date(0) });
  repo.update("n", (n) => n + 1);
  await repo.flush();
  const again = await Repo.open(store, signer.key);
  document.querySelector("output").textContent =
    [again.get("name"), again.get("n"), again.get("when").getTime(), again.key].join(" ");
</script>`;

async function output(page: Page): Promise<string | null> {
  await page.waitForFunction("document.querySelector('output').textContent !== ''");
  return await page.textContent("output");
}

browserTest(
  "a page of the home repo writes and reads a repo with the served modules",
  async (page) => {
    await served(async (port, { write }) => {
      await write("home", { files: { "index.html": PAGE } });
      await page.goto(`http://localhost:${port}/`);
      assert.match((await output(page))!, /^alice 42 0 [a-z2-7]{52}$/);
    });
  },
);

browserTest(
  "where crypto.subtle is missing the page uses the served npm packages",
  async (page) => {
    await served(async (port, { write }) => {
      const script =
        `<script>Object.defineProperty(crypto, "subtle", { value: undefined });</script>`;
      await write("home", {
        files: { "index.html": PAGE.replace("<output>", `${script}<output>`) },
      });
      const asked: string[] = [];
      page.on("request", (request) => asked.push(new URL(request.url()).pathname));
      await page.goto(`http://localhost:${port}/`);
      assert.match((await output(page))!, /^alice 42 0 [a-z2-7]{52}$/);
      assert.ok(
        asked.some((path) => path.startsWith("/streamo/npm/@noble/ed25519@")),
        asked.join(" "),
      );
    });
  },
);

const THIEF = `<!doctype html><output></output>
<script type="module" src="thief.js"></script>`;

const THIEF_JS = `
  import { Streamo } from "@streamo/streamo/value";
  const tried = [];
  for (const name of ["localStorage", "sessionStorage", "cookie"]) {
    try {
      const value = name === "cookie" ? document.cookie : window[name].getItem("secret");
      tried.push(name + "=" + value);
    } catch (error) {
      tried.push(name + ":" + error.name);
    }
  }
  try {
    await new Promise((resolve, reject) => {
      const request = indexedDB.open("x");
      request.onsuccess = resolve;
      request.onerror = () => reject(request.error);
    });
    tried.push("indexedDB opened");
  } catch (error) {
    tried.push("indexedDB:" + error.name);
  }
  try {
    tried.push("parent=" + window.parent.document.title);
  } catch (error) {
    tried.push("parent:" + error.name);
  }
  const store = new Streamo();
  store.set("runs", true);
  tried.push("runs=" + store.get("runs"), "origin=" + self.origin);
  document.querySelector("output").textContent = tried.join(" ");
`;

browserTest(
  "a foreign page under the shared origin runs, and reaches nobody's storage",
  async (page) => {
    await served(async (port, { write }) => {
      const alice = await keyOf("alice");
      const frame = `<title>victim</title><iframe src="/streams/${alice}/"></iframe>`;
      await write("home", { "index.html": frame });
      await write("alice", { "index.html": THIEF, "thief.js": THIEF_JS });
      const home = `http://localhost:${port}/`;
      await page.goto(home);
      await page.evaluate("localStorage.setItem('secret', 'home secret')");
      await page.goto(`${home}streams/${alice}/`);
      const alone = (await output(page))!;
      assert.match(alone, /localStorage:SecurityError sessionStorage:SecurityError/);
      assert.match(alone, /cookie:SecurityError indexedDB:\w+/);
      assert.match(alone, /runs=true origin=null/);
      await page.goto(home);
      const inside = page.frameLocator("iframe").locator("output:not(:empty)");
      const framed = (await inside.textContent())!;
      assert.match(framed, /localStorage:SecurityError/);
      assert.match(framed, /parent:SecurityError/);
      assert.equal(await page.evaluate("localStorage.getItem('secret')"), "home secret");
    });
  },
);

browserTest("a repo at KEY.localhost has an origin of its own", async (page) => {
  await served(async (port, { write }) => {
    const alice = await keyOf("alice");
    await write("home", { "index.html": "<title>home</title>" });
    await write("alice", { "index.html": THIEF, "thief.js": THIEF_JS });
    await page.goto(`http://localhost:${port}/`);
    await page.evaluate("localStorage.setItem('secret', 'home secret')");
    await page.goto(`http://${alice}.localhost:${port}/`);
    const text = (await output(page))!;
    assert.match(text, /localStorage=null sessionStorage=null/);
    assert.match(text, /indexedDB opened/);
    assert.match(text, new RegExp(`origin=http://${alice}.localhost:${port}`));
  });
});
