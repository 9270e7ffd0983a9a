import assert from "node:assert/strict";
import { importMapPosition } from "../../../relay/site/html.ts";
import { injectImportMap } from "../../../relay/site/inject.ts";
import { bytesBody } from "../../../relay/http/respond.ts";

const encoder = new TextEncoder();
const MAP = encoder.encode("{MAP}");

async function injected(html: string): Promise<string> {
  const body = await injectImportMap(bytesBody(encoder.encode(html)), MAP);
  return await new Response(body.read(0, body.size) as BodyInit).text();
}

Deno.test("an import map goes after <head>, else as early as the document allows", async () => {
  // `|` is where the map goes.
  const cases = [
    "<!doctype html><html><head>|<title>x</title>",
    "<!DOCTYPE HTML>\n<HTML lang=en>\n<HEAD class='a>b'>|\n<title>x</title>",
    '<!doctype html><head data-x="a > b">|',
    "<!doctype html><html>|<body>hello",
    "<!doctype html>|<title>x</title><p>hello",
    "<!doctype html>|<h1>",
    "|<p>hello",
    "|hello <head>",
    "|",
    "<!-- a <head> in a comment --><!doctype html><head>|<p>",
    "<html>|<!-- <head> --><body><head>",
    "<!doctype html>|<script>'<head>'</script><head>",
    "<html>|<header>x</header>",
    "|<!--><p>",
    "<?xml version='1.0'?><html><head>|",
  ];
  for (const marked of cases) {
    const html = marked.replace("|", "");
    assert.equal(await injected(html), marked.replace("|", "{MAP}"), html);
  }
});

Deno.test("a byte order mark stays in front", async () => {
  assert.equal(
    (await injected("\ufeff<p>x")).replace("\ufeff", ""),
    "{MAP}<p>x",
  );
  const body = await injectImportMap(bytesBody(encoder.encode("\ufeff<p>x")), MAP);
  const bytes = await new Response(body.read(0, body.size) as BodyInit).bytes();
  assert.deepEqual([...bytes.subarray(0, 4)], [0xef, 0xbb, 0xbf, 0x7b]);
});

Deno.test("a document with an import map of its own stays as it is", async () => {
  const cases = [
    '<head><script type="importmap">{}</script>',
    "<head><script type='importmap' nonce=x>{}</script>",
    "<head><SCRIPT TYPE=importmap>{}</SCRIPT>",
    '<head><script id="type" type = " importmap ">{}</script>',
    '<p>late<script type="importmap"></script>',
  ];
  for (const html of cases) assert.equal(await injected(html), html);
});

Deno.test("what only looks like an import map does not count", async () => {
  const cases = [
    '<head>|<!-- <script type="importmap"></script> -->',
    "<head>|<script>'<script type=\"importmap\">'</script>",
    '<head>|<script data-type="importmap"></script>',
    '<head>|<script type="importmap-shim"></script>',
    '<head>|<style><script type="importmap"></style>',
    '<head>|<textarea><script type="importmap"></textarea>',
    '<head>|<p title="<script type=importmap>">',
  ];
  for (const marked of cases) {
    assert.equal(await injected(marked.replace("|", "")), marked.replace("|", "{MAP}"));
  }
});

Deno.test("UTF-16 documents stay as they are", () => {
  assert.equal(importMapPosition(new Uint8Array([0xff, 0xfe, 0x3c, 0])), undefined);
  assert.equal(importMapPosition(new Uint8Array([0xfe, 0xff, 0, 0x3c])), undefined);
});

Deno.test("every range of a body with an import map is a range of the whole", async () => {
  const html = "<head>0123456789";
  const body = await injectImportMap(bytesBody(encoder.encode(html)), MAP);
  const whole = "<head>{MAP}0123456789";
  assert.equal(body.size, whole.length);
  for (let start = 0; start <= whole.length; start++) {
    for (let end = start; end <= whole.length; end++) {
      const text = await new Response(body.read(start, end) as BodyInit).text();
      assert.equal(text, whole.slice(start, end), `${start}-${end}`);
    }
  }
});

Deno.test("hostile documents take time in proportion to their size", () => {
  const parts = [
    "<",
    "<a '",
    '<a "',
    "<!--",
    "<script>",
    "<!",
    "<head",
    "</script",
    "type=",
    "<!---",
  ];
  for (const part of parts) {
    const bytes = encoder.encode(part.repeat(100_000));
    // Returns at all: a quadratic scan of a megabyte would not in the life of a test run.
    assert.doesNotThrow(() => importMapPosition(bytes), part);
  }
});
