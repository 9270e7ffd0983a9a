import assert from "node:assert/strict";
import { fileURLToPath } from "node:url";

function bench(...args: string[]): Promise<Deno.CommandOutput> {
  const main = fileURLToPath(new URL("main.ts", import.meta.url));
  return new Deno.Command(Deno.execPath(), {
    args: ["run", "-A", "--no-check", main, ...args],
    stdin: "null",
  }).output();
}

Deno.test("bench --quick runs every area and prints a number in every row", async () => {
  const { code, stdout, stderr } = await bench("--quick");
  const lines = new TextDecoder().decode(stdout).trimEnd().split("\n");
  assert.equal(code, 0, new TextDecoder().decode(stderr));
  for (
    const row of [
      "commits",
      "events",
      "verify",
      "encode",
      "get",
      "set one",
      "open",
      "bytes in",
      "replicate",
      "sparse",
      "memory of an idle connection",
      "back with",
      "mirror",
    ]
  ) {
    assert(lines.some((line) => line.startsWith(row)), `no row "${row}" in\n${lines.join("\n")}`);
  }
  for (const line of lines.slice(1)) assert.match(line, /^.{50} {2}[\d.,]+ /);
  assert(lines.every((line) => !/NaN|Infinity/.test(line)), lines.join("\n"));
});

Deno.test("bench refuses an area that is not there", async () => {
  const { code, stderr } = await bench("speed");
  assert.equal(code, 2);
  assert.match(new TextDecoder().decode(stderr), /no area "speed"/);
});
