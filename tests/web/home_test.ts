import assert from "node:assert/strict";
import { join } from "node:path";
import { EXIT_CODES } from "../../relay/exit_codes.ts";
import { browserTest, type Page } from "../suites/browser.ts";
import { withSite } from "./start_process.ts";

const TITLE = "Data that belongs to the people who write it.";

/** Opens the page and waits until it has its own repo. */
async function open(page: Page, url: string): Promise<void> {
  await page.goto(url);
  await page.waitForSelector(".state.online");
  await page.waitForSelector(".records li");
}

/** Waits until the newest record is of `name`. */
async function recorded(page: Page, name: string): Promise<void> {
  const newest = page.locator(".records li:first-child .what").filter({ hasText: name });
  await newest.waitFor();
}

const heading = (page: Page, text: string) =>
  page.locator("h1").filter({ hasText: text }).waitFor();

browserTest("the home page checks its own repo and tells what it has", async (page) => {
  await withSite(async (site) => {
    const url = await site.start();
    await open(page, url);
    const { home } = await (await fetch(`${url}.well-known/streamo`)).json();
    const checked = await page.textContent(".checked");
    assert.match(checked!, new RegExp(`checked \\d+ blocks? and the signature of\\s+${home}`));
    await recorded(page, "home.js");
    assert.ok(await page.locator(".tree rect").count() >= 1);
    const json = await page.getAttribute(".links a", "href");
    const value = await (await fetch(new URL(json!, url))).json();
    assert.equal(value["index.html"], await Deno.readTextFile(join(site.files, "index.html")));
    assert.match((await page.textContent("pre.wrap"))!, new RegExp(`^curl ${url}streams/${home}$`));
    await site.stop();
  });
});

browserTest("the open page changes by itself when its files change on disk", async (page) => {
  await withSite(async (site) => {
    const url = await site.start();
    await open(page, url);
    await page.evaluate("globalThis.isSame = true");

    await site.edit("style.css", "--paper: #fbfaf5", "--paper: rgb(1, 2, 3)");
    await page.waitForFunction("getComputedStyle(document.body).backgroundColor==='rgb(1, 2, 3)'");
    await recorded(page, "style.css");
    assert.equal(await page.evaluate("globalThis.isSame"), true, "a style sheet needs no reload");
    assert.equal(await page.locator('link[rel="stylesheet"]').count(), 1);

    await Deno.writeTextFile(join(site.files, "note.txt"), "hello");
    await recorded(page, "note.txt");
    assert.equal(await (await fetch(`${url}note.txt`)).text(), "hello");
    assert.equal(await page.evaluate("globalThis.isSame"), true, "the page does not use note.txt");

    await site.edit("index.html", `>${TITLE}<`, ">Edited on disk.<");
    await heading(page, "Edited on disk.");
    await recorded(page, "index.html");
    assert.equal(await page.evaluate("globalThis.isSame"), undefined);

    await site.edit("home.js", "Changes arrive from", "Edits come from");
    await page.locator(".state.online").filter({ hasText: "Edits come from" }).waitFor();
    const old = await page.locator(".records a").filter({ hasText: "note.txt" }).getAttribute(
      "href",
    );
    assert.equal(await (await fetch(old!)).text(), "hello");
    await site.stop();
  });
});

/** Holds a fresh page where it has its document, and does not yet follow the repo. */
const GATE = `
  if (!sessionStorage.isOpen) await new Promise((resolve) => globalThis.openGate = resolve);
  sessionStorage.isOpen = "yes";
  `;

browserTest("a file that changes while the page is loading is not missed", async (page) => {
  await withSite(async (site) => {
    await site.edit("home.js", "const session =", `${GATE}const session =`);
    const url = await site.start();
    const { home } = await (await fetch(`${url}.well-known/streamo`)).json();
    await page.goto(url);
    await page.waitForFunction("globalThis.openGate");
    const heads = (await fetch(`${url}streams/${home}/events`)).body!.getReader();
    await heads.read();
    await site.edit("index.html", `>${TITLE}<`, ">Edited while loading.<");
    await heads.read();
    await heads.cancel();
    assert.equal(await page.textContent("h1"), TITLE);
    await page.evaluate("globalThis.openGate()");
    await heading(page, "Edited while loading.");
    await page.waitForSelector(".state.online");
    await site.stop();
  });
});

browserTest(
  "a page whose relay stops says so, and comes back with what it missed",
  async (page) => {
    await withSite(async (site) => {
      const url = await site.start();
      const { home } = await (await fetch(`${url}.well-known/streamo`)).json();
      await open(page, url);
      await site.stop();
      await page.waitForSelector(".state.away");
      assert.ok(await page.isVisible(".records li"), "what was checked stays");
      await site.edit("index.html", `>${TITLE}<`, ">Edited while away.<");
      assert.equal(await site.start(Number(new URL(url).port)), url);
      await heading(page, "Edited while away.");
      await page.waitForSelector(".state.online");
      await recorded(page, "index.html");
      assert.ok(
        (await page.textContent(".key"))!.includes(home),
        "the kept password gives the key",
      );
      await site.stop();
    });
  },
);

browserTest("without JavaScript the page still reads", async (page) => {
  await withSite(async (site) => {
    const url = await site.start();
    const context = await page.context().browser()!.newContext({ javaScriptEnabled: false });
    const plain = await context.newPage();
    await plain.goto(url);
    assert.equal(await plain.textContent("h1"), TITLE);
    assert.ok(await plain.isVisible("text=With JavaScript this page reads"));
    assert.ok(await plain.isVisible("text=What you can rely on"));
    await context.close();
    await site.stop();
  });
});

Deno.test("start keeps its random password where only its owner reads it", async () => {
  await withSite(async (site) => {
    await site.start();
    const file = join(site.data, "password");
    const password = await Deno.readTextFile(file);
    assert.match(password, /^[0-9a-f]{32}\n$/);
    assert.ok(site.said.includes(file), "it says where");
    assert.ok(!site.said.includes(password.trim()), "it does not show it");
    if (Deno.build.os !== "windows") assert.equal((await Deno.stat(file)).mode! & 0o777, 0o600);
    assert.equal([...site.said.matchAll(/^ *Open /gm)].length, 1);
    await site.stop();
  });
});

Deno.test("start with a port in use is one sentence and exit code 2", async () => {
  const listener = Deno.listen({ port: 0, hostname: "127.0.0.1" });
  try {
    await withSite(async (site) => {
      const { port } = listener.addr;
      const { code, stderr } = await site.spawn(String(port)).output();
      assert.equal(code, EXIT_CODES.usage);
      assert.equal(
        new TextDecoder().decode(stderr),
        `start: port ${port} is in use; choose another with --port (or STREAMO_PORT)\n`,
      );
    });
  } finally {
    listener.close();
  }
});
