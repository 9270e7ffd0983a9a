/** What relays tell each other of topics, and what they take. */

import assert from "node:assert/strict";
import { type Key, keyFromBytes } from "../../../core/identity/key.ts";
import {
  ANNOUNCED_MAX,
  CAST_ID_BYTES,
  CAST_MAX_BYTES,
  decodeMessage,
  type Message,
  type TopicNews,
} from "../../../core/sync/messages.ts";
import { TOPIC_LIMITS } from "../../../core/sync/topic_limits.ts";
import type { Seat, TopicLink } from "../../../core/sync/topic_members.ts";
import { Topics } from "../../../core/sync/topics.ts";

const TOPIC = "t";
const keyOf = (n: number): Key => keyFromBytes(new Uint8Array(32).fill(n + 1));

/** A relay that asks another one, and whoever is to be there; messages arrive at once. */
function pair() {
  const [lower, upper] = ["lower", "upper"].map((name) => new Topics({ name, clock: () => 0 }));
  const told: { up: Message[]; down: Message[] } = { up: [], down: [] };
  const rest = { keys: new Set<Key>(), bufferedBytes: () => 0 };
  let link: TopicLink | undefined = undefined;
  const seat = upper.join({
    ...rest,
    relay: lower.name,
    send(text) {
      told.down.push(decodeMessage(text));
      link!.hear(told.down.at(-1) as TopicNews);
    },
  });
  link = lower.link({
    ...rest,
    relay: upper.name,
    send(text) {
      told.up.push(decodeMessage(text));
      seat.take(told.up.at(-1) as Parameters<Seat["take"]>[0]);
    },
  });
  const join = (topics: Topics, keys: readonly Key[] = []) => {
    const heard: Message[] = [];
    const send = (text: string) => void heard.push(decodeMessage(text));
    return { heard, seat: topics.join({ ...rest, keys: new Set(keys), send }) };
  };
  return { lower, upper, told, join };
}

Deno.test("who speaks is told down, by relays that their readers have chosen, and not up", () => {
  const { lower, upper, join } = pair();
  const [a, b] = [keyOf(1), keyOf(2)];
  const [low, high] = [join(lower, [a]), join(upper, [b])];
  for (const { seat } of [low, high]) seat.take({ type: "interest", topic: TOPIC });
  low.seat.take({ type: "announce", topic: TOPIC, key: keyOf(3), by: a });
  low.seat.take({ type: "cast", topic: TOPIC, data: new Uint8Array(1), by: a });
  high.seat.take({ type: "announce", topic: TOPIC, key: keyOf(4), by: b });
  high.seat.take({ type: "cast", topic: TOPIC, data: new Uint8Array(2), by: b });
  const speakers = (heard: Message[]) =>
    heard.flatMap((news) => "by" in news ? [[news.type, news.by]] : []);
  assert.deepStrictEqual(speakers(low.heard), [
    ["announced", a],
    ["announced", b],
    ["heard", b],
  ]);
  assert.deepStrictEqual(speakers(high.heard), [
    ["announced", undefined],
    ["heard", undefined],
    ["announced", b],
  ]);
});

Deno.test("a relay asks for a topic as long as somebody here is interested, and once", () => {
  const { lower, upper, told, join } = pair();
  const speaker = join(upper);
  speaker.seat.take({ type: "announce", topic: TOPIC, key: keyOf(1), by: undefined });
  speaker.seat.take({ type: "cast", topic: TOPIC, data: new Uint8Array(1), by: undefined });
  assert.deepStrictEqual([told.up, told.down], [[], []]);
  const readers = [join(lower), join(lower)];
  for (const { seat } of readers) seat.take({ type: "interest", topic: TOPIC });
  assert.deepStrictEqual(told.up.map(({ type }) => type), ["interest"]);
  assert.deepStrictEqual(told.down.map(({ type }) => type), ["present", "announced"]);
  readers[0].seat.leave();
  assert.equal(told.up.length, 1);
  readers[1].seat.leave();
  assert.deepStrictEqual(told.up.map(({ type }) => type), ["interest", "uninterest"]);
  assert.equal(lower.size, 0);
});

Deno.test("what many say comes to the relay above at a pace, the newest of it, and never past its bounds", () => {
  const said: Message[] = [];
  const waiting: (() => void)[] = [];
  let now = 0;
  const peer = { changes: { burst: 10, perSecond: 4 }, casts: { burst: 4, perSecond: 4 } };
  const limits = { relays: { interests: 4, announcements: 6, ...peer } };
  const topics = new Topics({
    limits,
    clock: () => now,
    timer: (callback) => {
      waiting.push(callback);
      return () => waiting.splice(waiting.indexOf(callback), 1);
    },
  });
  const rest = { keys: new Set<Key>(), bufferedBytes: () => 0 };
  const link = topics.link({ ...rest, send: (text) => void said.push(decodeMessage(text)) });
  const seat = topics.join({ ...rest, send: () => {} });
  const types = () => said.splice(0).map(({ type }) => type);
  for (let n = 0; n < 9; n++) seat.take({ type: "interest", topic: `t${n}` });
  for (let n = 0; n < 9; n++) {
    seat.take({ type: "announce", topic: "a", key: keyOf(n), by: undefined });
  }
  for (let n = 0; n < 9; n++) {
    seat.take({ type: "cast", topic: "a", data: new Uint8Array(n), by: undefined });
  }
  // Half of what a relay may say: 2 interests, 3 announcements, 2 casts.
  assert.deepStrictEqual(types(), [
    "interest",
    "interest",
    ...Array(3).fill("announce"),
    "cast",
    "cast",
  ]);
  for (let n = 0; n < 9; n++) {
    seat.take({ type: "withdraw", topic: "a", key: keyOf(n), by: undefined });
  }
  assert.deepStrictEqual(types(), Array(3).fill("withdraw"));
  // No change is left to be made now: what is taken back meanwhile is never said.
  seat.take({ type: "announce", topic: "a", key: keyOf(1), by: undefined });
  seat.take({ type: "announce", topic: "a", key: keyOf(2), by: undefined });
  seat.take({ type: "withdraw", topic: "a", key: keyOf(1), by: undefined });
  assert.deepStrictEqual([types(), waiting.length], [[], 1]);
  now += 1000;
  waiting.shift()!();
  assert.deepStrictEqual(said.map((message) => "key" in message && message.key), [keyOf(2)]);
  link.leave();
  assert.equal(waiting.length, 0);
});

Deno.test("what relays were told counts as kept: past the bound they are not told, and it is given back", () => {
  const topics = new Topics({ clock: () => 0, limits: { entries: 20 } });
  const rest = { keys: new Set<Key>(), bufferedBytes: () => 0 };
  const speaker = topics.join({ ...rest, send: () => {} });
  for (let n = 0; n < 8; n++) {
    speaker.take({ type: "announce", topic: TOPIC, key: keyOf(n), by: undefined });
  }
  const relays = ["a", "b", "c"].map((relay) => {
    const heard: string[] = [];
    const seat = topics.join({
      ...rest,
      relay,
      send: (text) => void heard.push(decodeMessage(text).type),
    });
    seat.take({ type: "interest", topic: TOPIC, via: [relay] });
    return { seat, heard };
  });
  const told = () => relays.map(({ heard }) => heard.filter((type) => type === "announced").length);
  // 8 announcements, 2 interests: room for 10 more.
  assert.deepStrictEqual(relays.map(({ heard }) => heard[0]), ["present", "present", "refuse"]);
  assert.deepStrictEqual(told(), [8, 2, 0]);
  for (const { seat } of relays) seat.leave();
  speaker.leave();
  assert.equal(topics.size, 0);
  // All room is there again.
  const client = topics.join({ ...rest, send: (text) => refused.push(decodeMessage(text)) });
  const refused: Message[] = [];
  for (let n = 0; n < 20; n++) {
    client.take({ type: "announce", topic: TOPIC, key: keyOf(n), by: undefined });
  }
  assert.deepStrictEqual(refused, []);
  client.take({ type: "announce", topic: TOPIC, key: keyOf(20), by: undefined });
  assert.equal(refused.length, 1);
});

Deno.test("a relay above that says too much, or what nobody asked for, takes bounded memory and time", () => {
  const casts = { burst: 10, perSecond: 10 };
  const relays = { ...TOPIC_LIMITS.relays, casts };
  const topics = new Topics({ name: "own", clock: () => 0, limits: { relays } });
  const rest = { keys: new Set<Key>(), bufferedBytes: () => 0 };
  const link = topics.link({ ...rest, relay: "above", send: () => {} });
  const heard: Message[] = [];
  const client = topics.join({ ...rest, send: (text) => void heard.push(decodeMessage(text)) });
  const announced = (n: number, via?: string[], topic = TOPIC): TopicNews => {
    const bytes = new Uint8Array(32);
    new DataView(bytes.buffer).setUint32(0, n);
    return { type: "announced", topic, key: keyFromBytes(bytes), by: undefined, via };
  };
  for (let n = 0; n < 1000; n++) link.hear(announced(n, ["above"], `topic ${n}`));
  assert.equal(topics.size, 0, "nobody has asked");
  client.take({ type: "interest", topic: TOPIC });
  link.hear(announced(1, ["above", "own"]));
  link.hear(announced(2, Array(16).fill("above")));
  assert.deepStrictEqual(heard.splice(0).map(({ type }) => type), ["present"]);
  for (let n = 0; n < 1000; n++) link.hear(announced(n, ["above"]));
  for (let n = 0; n < 1000; n++) {
    const data = new Uint8Array(n < 5 ? CAST_MAX_BYTES + 1 : 8);
    const id = new Uint8Array(CAST_ID_BYTES).fill(n);
    link.hear({ type: "heard", topic: TOPIC, data, by: undefined, id });
  }
  const count = (type: string) => heard.filter((news) => news.type === type).length;
  assert.deepStrictEqual([count("announced"), count("heard")], [ANNOUNCED_MAX, casts.burst]);
  link.leave();
  assert.equal(count("withdrawn"), ANNOUNCED_MAX);
  client.leave();
  assert.equal(topics.size, 0);
});
