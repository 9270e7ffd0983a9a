import assert from "node:assert/strict";
import { late } from "../../core/late.ts";

Deno.test("late() loads once, also for those who ask meanwhile, and gives the same part", async () => {
  let loads = 0;
  const load = late(() => Promise.resolve({ number: ++loads }));
  const [first, second] = await Promise.all([load(), load()]);
  assert.equal(first, second);
  assert.equal(await load(), first);
  assert.equal(loads, 1);
});

Deno.test("late() names what cannot be loaded, and asks again at the next call", async () => {
  const cause = new TypeError("the network is away");
  let isAway = true;
  const load = late(() => isAway ? Promise.reject(cause) : Promise.resolve("part"));
  const unreachable = {
    code: "unreachable",
    message: "cannot load a part of the library: the network is away",
    cause,
  };
  await Promise.all([assert.rejects(load(), unreachable), assert.rejects(load(), unreachable)]);
  isAway = false;
  assert.equal(await load(), "part");
});
