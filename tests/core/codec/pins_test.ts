import assert from "node:assert/strict";
import { MissingBlock, type Pins, untilThere } from "../../../core/codec/chunks.ts";

Deno.test("one reading holds on to 64 MiB of blocks, and lets go of all at its end", async () => {
  let held = 0;
  const missing = new MissingBlock(7, (pins?: Pins) => {
    held++;
    pins!.add(2 ** 20, () => held--);
    return Promise.resolve();
  });
  let reads = 0;
  const read = (needed: number) =>
    untilThere(() => {
      if (held < needed) throw missing;
      return ++reads;
    });
  assert.equal(await read(64), 1);
  assert.equal(held, 0);
  await assert.rejects(read(65), { code: "budget" });
  assert.equal(held, 0);
});
