import assert from "node:assert/strict";
import { join } from "node:path";
import { browserTest, browserTestMode, type Env, findBrowser } from "./browser.ts";

/** An environment with only these variables. */
function only(variables: Record<string, string>): Env {
  return (name) => variables[name];
}

async function withFile(name: string, use: (folder: string, file: string) => void): Promise<void> {
  const folder = await Deno.makeTempDir();
  try {
    const file = join(folder, name);
    await Deno.writeTextFile(file, "");
    use(folder, file);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

Deno.test("findBrowser() takes STREAMO_BROWSER before what is on PATH", async () => {
  await withFile("chromium", (folder, file) => {
    assert.equal(findBrowser(only({ PATH: folder })), file);
    const chosen = join(folder, ".");
    assert.equal(findBrowser(only({ PATH: folder, STREAMO_BROWSER: chosen })), chosen);
    assert.equal(findBrowser(only({ PATH: folder, STREAMO_BROWSER: "none" })), undefined);
  });
});

Deno.test("findBrowser() names a STREAMO_BROWSER that does not exist", () => {
  const env = only({ STREAMO_BROWSER: "/no/such/browser" });
  assert.throws(() => findBrowser(env), /names no file: "\/no\/such\/browser"/);
});

Deno.test("browser tests run with a browser, fail in CI without one, else are ignored", async () => {
  const none = { STREAMO_BROWSER: "none" };
  assert.equal(browserTestMode(only(none)), "ignore");
  assert.equal(browserTestMode(only({ ...none, CI: "true" })), "fail");
  await withFile("chromium", (folder) => {
    assert.equal(browserTestMode(only({ PATH: folder, CI: "true" })), "run");
  });
});

browserTest("reads text from a page served on a free port", async (page) => {
  const html = `<!doctype html><h1></h1><script type="module">
    document.querySelector("h1").textContent = "hello from " + location.host;
  </script>`;
  const headers = { "content-type": "text/html" };
  const server = Deno.serve({ port: 0, onListen: () => {} }, () => new Response(html, { headers }));
  try {
    const host = `localhost:${server.addr.port}`;
    await page.goto(`http://${host}/`);
    assert.equal(await page.textContent("h1"), `hello from ${host}`);
  } finally {
    await server.shutdown();
  }
});
