import assert from "node:assert/strict";
import { browserTest, type Page } from "../suites/browser.ts";
import { withPage } from "./pages.ts";

/** What `main` holds once the page has run `script`. */
async function shown(page: Page, url: string): Promise<string> {
  await page.goto(url);
  await page.waitForSelector("html[data-ready]");
  return await html(page);
}

const html = (page: Page) => page.innerHTML("main");

/** Waits until `main` holds `expected`; the test's own time limit tells if it never does. */
async function becomes(page: Page, expected: string): Promise<void> {
  await page.waitForFunction(
    `document.querySelector("main").innerHTML === ${JSON.stringify(expected)}`,
    undefined,
    { timeout: 5000 },
  ).catch(async () => assert.equal(await html(page), expected));
}

const STATIC = `
  const Card = ({ name, children }) => h\`<b title=\${name}>\${children}</b>\`;
  mount(h\`<p class=\${["a", { b: true, c: false }]} ...\${{ id: "x" }}>
    \${"<safe>"} \${0} \${false} \${null}
    <\${Card} name="n">in<//>
    <svg viewBox="0 0 1 1"><circle class=\${{ on: true }} r="1" /></svg>
  </p>\`, document.querySelector("main"));
`;

browserTest("h makes elements, components, SVG and classes; text is never markup", async (page) => {
  await withPage(STATIC, async (url) => {
    assert.equal(
      await shown(page, url),
      '<p class="a b" id="x">&lt;safe&gt; 0  <b title="n">in</b>' +
        '<svg viewBox="0 0 1 1"><circle class="on" r="1"></circle></svg></p>',
    );
    const space = await page.evaluate('document.querySelector("circle").namespaceURI');
    assert.equal(space, "http://www.w3.org/2000/svg");
  });
});

const CELLS = `
  globalThis.n = signal(1);
  globalThis.runs = 0;
  const view = () => {
    runs++;
    return h\`<i class=\${() => ["n", { odd: n.value % 2 }]} title=\${() => "t" + n.value}
      onClick=\${() => n.value++}>\${() => n.value} \${[() => n.value * 2]}</i>\`;
  };
  globalThis.unmount = mount(view, document.querySelector("main"));
`;

browserTest("functions are cells: only they run again, handlers stay handlers", async (page) => {
  await withPage(CELLS, async (url) => {
    const first = '<i class="n odd" title="t1">1 2</i>';
    assert.equal(await shown(page, url), first);
    await page.evaluate("globalThis.element = document.querySelector('i')");
    await page.click("i");
    await becomes(page, '<i class="n" title="t2">2 4</i>');
    assert.equal(await page.evaluate("runs"), 1);
    assert.equal(await page.evaluate("element === document.querySelector('i')"), true);
  });
});

browserTest("unmount takes the view away and its cells stop", async (page) => {
  const script = `
    globalThis.n = signal(1);
    globalThis.seen = [];
    globalThis.unmount = mount(() => { seen.push(n.value); return n.value; },
      document.querySelector("main"));
  `;
  await withPage(script, async (url) => {
    assert.equal(await shown(page, url), "1");
    await page.evaluate("n.value = 2");
    await becomes(page, "2");
    await page.evaluate("unmount()");
    assert.equal(await html(page), "");
    await page.evaluate("n.value = 3");
    await page.evaluate("new Promise(requestAnimationFrame)");
    assert.deepEqual(await page.evaluate("seen"), [1, 2]);
  });
});

const KEYED = `
  globalThis.list = signal(["a", "b", "c"]);
  mount(() => list.value.map((name) => h\`<li key=\${name} title=\${() => name}>\${name}</li>\`),
    document.querySelector("main"));
`;

browserTest("elements of a list keep to their keys, also with cells", async (page) => {
  await withPage(KEYED, async (url) => {
    await shown(page, url);
    await page.evaluate("globalThis.b = document.querySelector('[title=b]')");
    await page.evaluate("list.value = ['c', 'b']");
    await becomes(page, '<li title="c">c</li><li title="b">b</li>');
    assert.equal(await page.evaluate("b === document.querySelector('[title=b]')"), true);
  });
});

const LIVE = `
  const signer = await Signer.fromSeed("page", new Uint8Array(32).fill(7));
  globalThis.repo = await Repo.open(new MemoryStore(), signer);
  repo.set({ title: "one", list: [1] });
  const view = live(repo);
  mount(h\`<p title=\${() => view.get("title")}>\${() => view.get("list").join()}</p>\`,
    document.querySelector("main"));
`;

browserTest("live(repo) in a cell shows the repo as it is", async (page) => {
  await withPage(LIVE, async (url) => {
    assert.equal(await shown(page, url), '<p title="one">1</p>');
    await page.evaluate("repo.push(['list'], 2); repo.set('title', 'two')");
    await becomes(page, '<p title="two">1,2</p>');
  });
});

const FIRST_CHILDREN = `
  globalThis.state = liveObject({ on: false });
  mount(h\`<p>first</p><p>\${() => state.on ? h\`<b>yes</b>\` : "no"}</p>\`,
    document.querySelector("main"));
`;

browserTest("a template may have several elements, a cell may change what it is", async (page) => {
  await withPage(FIRST_CHILDREN, async (url) => {
    assert.equal(await shown(page, url), "<p>first</p><p>no</p>");
    await page.evaluate("state.on = true");
    await becomes(page, "<p>first</p><p><b>yes</b></p>");
  });
});
