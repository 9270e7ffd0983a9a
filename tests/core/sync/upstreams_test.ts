import assert from "node:assert/strict";
import type { Key } from "../../../core/identity/key.ts";
import { MemoryStore } from "../../../core/log/memory_store.ts";
import { Registry } from "../../../core/repo/registry.ts";
import { Upstreams } from "../../../core/sync/upstreams.ts";
import { until } from "../../suites/cli.ts";
import { startScript } from "../../suites/hostile_relay.ts";
import { ManyRepos } from "../../suites/many_repos.ts";
import { signerOf } from "../../suites/people.ts";
import { Traffic } from "../../suites/traffic.ts";
import { untilNews } from "../../suites/until_news.ts";

const { key } = await signerOf("alice");

Deno.test("`via` is the shortest way of those who ask, and is said again only when it changes", async () => {
  const relay = startScript((heard, caller) => {
    if (heard.type !== "open") return;
    caller.send({ type: "opened", key, channel: 1, head: undefined, staged: undefined, shared: 0 });
  });
  const registry = new Registry({ store: new MemoryStore() });
  const upstreams = await Upstreams.open({ registry, origins: [relay.url] });
  const opened = () =>
    relay.callers.flatMap(({ heard }) => heard)
      .flatMap((message) => message.type === "open" ? [message.via] : []);
  const [first, second] = [{}, {}];
  await upstreams.use(first, key, ["a", "b"]);
  await upstreams.use(second, key, ["c"]);
  await until("said twice", () => opened().length === 2);
  // A log that was parked is asked about again: nothing is new.
  await upstreams.use(second, key);
  upstreams.change(second, key, ["c"]);
  upstreams.change(second, key, ["b", "c"]);
  await until("said once more", () => opened().length === 3);
  upstreams.leave(first, key);
  await until("and once more", () => opened().length === 4);
  const { name } = upstreams;
  assert.deepEqual(opened(), [
    ["a", "b", name],
    ["c", name],
    ["a", "b", name],
    ["b", "c", name],
  ]);
  upstreams.leave(second, key);
  assert.equal(upstreams.size, 0);
  await until(
    "it is let go",
    () => relay.callers.some(({ heard }) => heard.some(({ type }) => type === "close")),
  );
  assert.equal(await upstreams.use(first, key, Array(16).fill("x")), "refused");
  upstreams.close();
  await relay.stop();
});

Deno.test("a relay that does not answer keeps nobody waiting for ever", async () => {
  const relay = startScript(() => {});
  const registry = new Registry({ store: new MemoryStore() });
  const waits: (() => void)[] = [];
  const upstreams = await Upstreams.open({
    registry,
    origins: [relay.url],
    timer: (callback, delayMs) => {
      if (delayMs === 3_000) waits.push(callback);
      return () => undefined;
    },
  });
  const asked = upstreams.use({}, key);
  await until("it was asked", () => relay.callers[0]?.heard.some(({ type }) => type === "open"));
  assert.equal(waits.length, 1);
  waits[0]();
  assert.equal(await asked, undefined, "it goes on with what is here");
  upstreams.close();
  await relay.stop();
});

Deno.test("a relay that comes back to another one opens its logs there as one list, by way of itself", async () => {
  const asked: (readonly string[] | undefined)[] = [];
  const admit = (_key: Key, via: readonly string[] | undefined) => void asked.push(via);
  await using world = await ManyRepos.open(60, new MemoryStore(), { admit });
  const traffic = new Traffic();
  const registry = new Registry({ store: new MemoryStore() });
  const upstreams = await Upstreams.open({
    registry,
    origins: [world.relay.url],
    session: { openTransport: traffic.openTransport, random: () => 0 },
  });
  const [user, relay] = [{}, {}];
  await Promise.all(world.keys.map((key) => upstreams.use(user, key)));
  // One that another relay asks for by a longer way.
  upstreams.leave(user, world.keys[5]);
  await upstreams.use(relay, world.keys[5], ["below"]);
  const [session] = upstreams.sessions;
  const texts = async (i: number) =>
    await registry.with(world.keys[i], (repo) => Promise.resolve(repo.get("text")));
  assert.equal(await texts(59), "first");
  traffic.clear();
  asked.length = 0;
  await world.restart();
  await world.write(3, "news");
  const repo = await registry.open(world.keys[3]);
  await untilNews([repo, session], () => repo.get("text") === "news");
  registry.release(repo.key);
  await traffic.until(({ settled }) => settled > 0);
  const { list, keys, open, roots } = traffic.kinds;
  assert.deepStrictEqual({ list, keys, roots }, { list: 1, keys: 2, roots: undefined });
  // The one by itself, and the one that differs if it was written before the list was compared.
  assert.ok(open <= 2, `${open} logs were opened by themselves`);
  const ways = new Set(asked.map((via) => via?.join(" ")));
  ways.delete(undefined);
  assert.deepStrictEqual([...ways].sort(), [`below ${upstreams.name}`, upstreams.name].sort());
  upstreams.close();
});
