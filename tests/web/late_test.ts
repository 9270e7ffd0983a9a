import assert from "node:assert/strict";
import { browserTest } from "../suites/browser.ts";
import { withPage } from "./pages.ts";

const CONNECTS = `
  const statuses = [];
  const session = connect(new Registry({ store: new MemoryStore() }), location.origin);
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
