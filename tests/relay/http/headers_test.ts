import assert from "node:assert/strict";
import { acceptsGzip, allowsHtml, wantsHtml } from "../../../relay/http/accept.ts";
import { namesTag, rangeCounts } from "../../../relay/http/conditions.ts";
import { contentType, typeOf } from "../../../relay/http/mime.ts";

Deno.test("namesTag() compares weakly, in lists, and takes * for every tag", () => {
  const cases: [string | null, boolean][] = [
    [null, false],
    ['"a"', true],
    ['W/"a"', true],
    ['"b", W/"c",  "a"', true],
    ["*", true],
    [" * ", true],
    ['"b"', false],
    ['"a-gzip"', false],
    ['"A"', false],
    ["a", false],
    ["", false],
  ];
  for (const [header, expected] of cases) {
    assert.equal(namesTag(header, "a"), expected, String(header));
  }
});

Deno.test("rangeCounts() asks for the very same strong tag", () => {
  const cases: [string | null, boolean][] = [
    [null, true],
    ['"a"', true],
    ['W/"a"', false],
    ['"b"', false],
    ["Sat, 31 Jan 2026 12:00:00 GMT", false],
  ];
  for (const [header, expected] of cases) {
    assert.equal(rangeCounts(header, "a"), expected, String(header));
  }
});

Deno.test("acceptsGzip() weighs what is named over the wildcard", () => {
  const cases: [string | null, boolean][] = [
    [null, false],
    ["gzip", true],
    ["br, gzip;q=0.2", true],
    ["br", false],
    ["gzip;q=0", false],
    ["gzip;q=0, *", false],
    ["*", true],
    ["identity, *;q=0", false],
  ];
  for (const [header, expected] of cases) {
    assert.equal(acceptsGzip(header), expected, String(header));
  }
});

Deno.test("wantsHtml() is for browsers, allowsHtml() also for who takes anything", () => {
  const cases: [string | null, boolean, boolean][] = [
    [null, false, true],
    ["*/*", false, true],
    ["text/html,application/xhtml+xml,*/*;q=0.8", true, true],
    ["application/json", false, false],
    ["text/html;q=0", false, false],
  ];
  for (const [header, wants, allows] of cases) {
    assert.equal(wantsHtml(header), wants, `wants ${header}`);
    assert.equal(allowsHtml(header), allows, `allows ${header}`);
  }
});

Deno.test("typeOf() goes by the extension of the last segment", () => {
  const cases: [string, string | undefined][] = [
    ["index.html", "text/html"],
    ["a/b/STYLE.CSS", "text/css"],
    ["x.mjs", "text/javascript"],
    ["main.ts", "text/typescript"],
    ["film.mp4", "video/mp4"],
    ["README.md", "text/markdown"],
    ["image.svg", "image/svg+xml"],
    ["html", undefined],
    [".html", undefined],
    ["a.html/b", undefined],
    ["x.no-such-extension", undefined],
    ["x.__proto__", undefined],
    ["x.constructor", undefined],
  ];
  for (const [path, expected] of cases) assert.equal(typeOf(path), expected, path);
});

Deno.test("contentType() says UTF-8 for text only", () => {
  assert.equal(contentType("text/html"), "text/html; charset=utf-8");
  assert.equal(contentType("image/svg+xml"), "image/svg+xml; charset=utf-8");
  assert.equal(contentType("video/mp4"), "video/mp4");
});
