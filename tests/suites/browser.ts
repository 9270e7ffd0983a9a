/**
 * Tests in a real browser. Where none is found they are reported as ignored; with CI set a missing
 * browser is a failure, so that it cannot go unnoticed.
 */

import { existsSync } from "node:fs";
import { delimiter, join } from "node:path";
import { type Browser, chromium, type Page } from "playwright-core";

export type { Browser, Page };

/** Chrome and its relatives: names on PATH, then where installers for macOS and Windows put them. */
const NAMES = [
  "chromium-headless-shell",
  "chrome-headless-shell",
  "chromium",
  "chromium-browser",
  "google-chrome",
  "google-chrome-stable",
  "chrome",
];
const PLACES = [
  "/Applications/Google Chrome.app/Contents/MacOS/Google Chrome",
  "/Applications/Chromium.app/Contents/MacOS/Chromium",
  "C:\\Program Files\\Google\\Chrome\\Application\\chrome.exe",
];

/** No sandbox: containers run as root. The rest keeps the browser from calling home. */
const FLAGS = [
  "--headless",
  "--no-sandbox",
  "--disable-gpu",
  "--disable-quic",
  "--no-first-run",
  "--disable-background-networking",
  "--disable-component-update",
  "--disable-sync",
];

/** Reads an environment variable. */
export type Env = (name: string) => string | undefined;

const processEnv: Env = (name) => Deno.env.get(name);

/**
 * The file of a browser: STREAMO_BROWSER if set ("none" hides every browser), else the first of
 * the well-known names. A STREAMO_BROWSER that does not exist is an error.
 */
export function findBrowser(env: Env = processEnv): string | undefined {
  const chosen = env("STREAMO_BROWSER");
  if (chosen === "none") return undefined;
  if (chosen) {
    if (existsSync(chosen)) return chosen;
    throw new Error(`STREAMO_BROWSER names no file: "${chosen}"`);
  }
  const folders = (env("PATH") ?? "").split(delimiter).filter((folder) => folder !== "");
  const onPath = NAMES.flatMap((name) => folders.map((folder) => join(folder, name)));
  return [...onPath, ...PLACES].find((path) => existsSync(path));
}

/** What becomes of a browser test: it runs, is ignored, or fails because CI must have a browser. */
export function browserTestMode(env: Env = processEnv): "run" | "ignore" | "fail" {
  if (findBrowser(env) !== undefined) return "run";
  return env("CI") ? "fail" : "ignore";
}

/** Calls `use` with a fresh browser and closes it afterwards, whatever happens. */
export async function withBrowser<T>(use: (browser: Browser) => Promise<T>): Promise<T> {
  const executablePath = findBrowser();
  if (executablePath === undefined) {
    throw new Error("no browser found: install chromium-headless-shell or set STREAMO_BROWSER");
  }
  const browser = await chromium.launch({ executablePath, args: FLAGS });
  try {
    return await use(browser);
  } finally {
    await browser.close();
  }
}

/** What a test does with its page. */
export type PageTest = (page: Page, context: Deno.TestContext) => Promise<void>;

/**
 * A `Deno.test` that gets a page of a fresh browser; `page.context()` opens more. An error that the
 * page does not catch fails the test.
 */
export function browserTest(name: string, body: PageTest): void {
  const mode = browserTestMode();
  Deno.test({
    name: `browser: ${name}`,
    ignore: mode === "ignore",
    // Playwright keeps pipes and timers of its own that outlive a test.
    sanitizeOps: false,
    sanitizeResources: false,
    fn: (context) => withBrowser((browser) => onPage(browser, (page) => body(page, context))),
  });
}

async function onPage(browser: Browser, body: (page: Page) => Promise<void>): Promise<void> {
  // A context of its own, so that a test can open more pages.
  const context = await browser.newContext();
  const uncaught: Error[] = [];
  context.on("weberror", (event) => uncaught.push(event.error()));
  await body(await context.newPage());
  if (uncaught.length > 0) throw new AggregateError(uncaught, `the page threw: ${uncaught[0]}`);
}
