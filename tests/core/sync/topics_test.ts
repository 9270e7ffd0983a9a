import assert from "node:assert/strict";
import type { Key } from "../../../core/identity/key.ts";
import {
  ANNOUNCED_MAX,
  CAST_MAX_BYTES,
  decodeMessage,
  type Message,
  type TopicMessage,
} from "../../../core/sync/messages.ts";
import { TokenBucket } from "../../../core/sync/token_bucket.ts";
import { TOPIC_LIMITS, type TopicLimits } from "../../../core/sync/topic_limits.ts";
import type { Seat } from "../../../core/sync/topic_members.ts";
import { Topics } from "../../../core/sync/topics.ts";
import { keyFromBytes } from "../../../core/identity/key.ts";
import { signerOf } from "../../suites/people.ts";

const { key: alice } = await signerOf("alice");
const { key: bob } = await signerOf("bob");
const data = new Uint8Array([1, 2, 3]);

/** Topics on a clock that the test holds. */
function world(limits?: Partial<TopicLimits>) {
  let now = 1_000_000;
  const topics = new Topics({ clock: () => now, limits });
  return {
    topics,
    /** Somebody who holds `keys`, and has not read `waiting` bytes. */
    join: (keys: readonly Key[] = [], waiting = 0) => new Person(topics, keys, waiting),
    pass: (ms: number) => void (now += ms),
  };
}

class Person {
  readonly seat: Seat;
  readonly heard: Message[] = [];

  waiting: number;

  constructor(topics: Topics, keys: readonly Key[], waiting: number) {
    this.waiting = waiting;
    this.seat = topics.join({
      keys: new Set(keys),
      bufferedBytes: () => this.waiting,
      send: (text) => void this.heard.push(plain(decodeMessage(text))),
    });
  }

  say(...messages: TopicMessage[]): this {
    for (const message of messages) this.seat.take(message);
    return this;
  }

  /** What it has heard since it was asked last. */
  news(): Message[] {
    return this.heard.splice(0);
  }
}

/** `message` without what only relays say to each other. */
function plain(message: Message): Message {
  for (const name of ["via", "id"] as const) {
    assert.equal((message as Partial<Record<typeof name, unknown>>)[name], undefined);
    delete (message as Partial<Record<typeof name, unknown>>)[name];
  }
  if (message.type !== "present") return message;
  return { ...message, announcements: message.announcements.map(({ key, by }) => ({ key, by })) };
}

const interest = (topic: string): TopicMessage => ({ type: "interest", topic });
const uninterest = (topic: string): TopicMessage => ({ type: "uninterest", topic });
const announce = (key: Key, by?: Key, topic = "t"): TopicMessage => ({
  type: "announce",
  topic,
  key,
  by,
});
const withdraw = (key: Key, by?: Key): TopicMessage => ({ type: "withdraw", topic: "t", key, by });
const cast = (bytes = data, by?: Key): TopicMessage => ({
  type: "cast",
  topic: "t",
  data: bytes,
  by,
});
const present = (...announcements: { key: Key; by: Key | undefined }[]): Message => ({
  type: "present",
  topic: "t",
  announcements,
});

const codes = (news: readonly Message[]) =>
  news.map((message) => message.type === "refuse" ? [message.of, message.code] : message.type);

Deno.test("what was announced before is told to late interest, what comes later as it comes", () => {
  const { join } = world();
  const speaker = join().say(announce(alice));
  const early = join().say(interest("t"));
  assert.deepStrictEqual(early.news(), [present({ key: alice, by: undefined })]);
  speaker.say(announce(bob));
  const late = join().say(interest("t"));
  assert.deepStrictEqual(early.news(), [{
    type: "announced",
    topic: "t",
    key: bob,
    by: undefined,
  }]);
  assert.deepStrictEqual(late.news(), [
    present({ key: alice, by: undefined }, { key: bob, by: undefined }),
  ]);
  assert.deepStrictEqual(speaker.news(), [], "who is not interested hears nothing");
});

Deno.test("everybody who is interested sees the same announcements, whoever made them", () => {
  const { join } = world();
  const both = [join().say(interest("t")), join().say(interest("t"))];
  both[0].say(announce(alice));
  for (const person of both) {
    assert.deepStrictEqual(person.news().slice(1), [
      { type: "announced", topic: "t", key: alice, by: undefined },
    ]);
  }
});

Deno.test("an announcement is there until the last who made it withdraws it or leaves", () => {
  const { join, topics } = world();
  const listener = join().say(interest("t"));
  const one = join().say(announce(alice), announce(alice));
  const two = join().say(announce(alice));
  listener.news();
  one.say(withdraw(alice), withdraw(alice));
  assert.deepStrictEqual(listener.news(), []);
  two.seat.leave();
  assert.deepStrictEqual(listener.news(), [
    { type: "withdrawn", topic: "t", key: alice, by: undefined },
  ]);
  assert.deepStrictEqual(join().say(interest("t")).news(), [present()]);
  listener.seat.leave();
  assert.equal(topics.size, 1, "somebody is interested still");
});

Deno.test("what nobody is interested in or announces any more leaves nothing behind", () => {
  const { join, topics } = world({ entries: 3 });
  for (let round = 0; round < 100; round++) {
    const person = join([alice]).say(interest("t"), announce(alice), announce(alice, alice));
    assert.deepStrictEqual(codes(person.news()), ["present", "announced", "announced"]);
    if (round % 2 === 0) person.seat.leave();
    else person.say(uninterest("t"), withdraw(alice), withdraw(alice, alice));
    assert.equal(topics.size, 0);
    person.seat.leave();
  }
});

Deno.test("a cast goes to all others who are interested at that moment, and to nobody later", () => {
  const { join } = world();
  const [sender, one, two] = [0, 1, 2].map(() => join().say(interest("t")));
  const elsewhere = join().say(interest("u"));
  for (const person of [sender, one, two, elsewhere]) person.news();
  sender.say(cast());
  const heard = [{ type: "heard", topic: "t", data, by: undefined }];
  assert.deepStrictEqual([sender, one, two, elsewhere].map((person) => person.news()), [
    [],
    heard,
    heard,
    [],
  ]);
  assert.deepStrictEqual(join().say(interest("t")).news(), [present()]);
  one.say(uninterest("t"));
  // Who casts need not listen.
  join().say(cast());
  assert.deepStrictEqual([sender, one, two].map((person) => person.news()), [heard, [], heard]);
});

Deno.test("who speaks as a key has shown that it holds it", () => {
  const { join } = world();
  const listener = join().say(interest("t"));
  const speaker = join([alice]);
  speaker.say(announce(bob, alice), cast(data, alice), announce(bob, bob), cast(data, bob));
  assert.deepStrictEqual(listener.news().slice(1), [
    { type: "announced", topic: "t", key: bob, by: alice },
    { type: "heard", topic: "t", data, by: alice },
  ]);
  assert.deepStrictEqual(codes(speaker.news()), [["announce", "refused"], ["cast", "refused"]]);
  // Somebody who only says so does not take the place of who has shown it, nor the other way round.
  const other = join().say(announce(bob));
  assert.deepStrictEqual(join().say(interest("t")).news(), [
    present({ key: bob, by: alice }, { key: bob, by: undefined }),
  ]);
  other.seat.leave();
  assert.deepStrictEqual(join().say(interest("t")).news(), [present({ key: bob, by: alice })]);
});

Deno.test("casts are bounded in size and rate; what is too much is refused once, then dropped", () => {
  const { join, pass } = world({ casts: { burst: 10, perSecond: 5 } });
  const listener = join().say(interest("t"));
  listener.news();
  const typist = join().say(
    cast(new Uint8Array(CAST_MAX_BYTES + 1)),
    cast(new Uint8Array(CAST_MAX_BYTES)),
  );
  assert.deepStrictEqual(codes(typist.news()), [["cast", "too_large"]]);
  assert.deepStrictEqual(codes(listener.news()), ["heard"]);
  for (let i = 0; i < 100; i++) typist.say(cast());
  assert.equal(listener.news().length, 8);
  assert.deepStrictEqual(codes(typist.news()), [["cast", "rate"]]);
  pass(1000);
  for (let i = 0; i < 100; i++) typist.say(cast());
  assert.equal(listener.news().length, 5);
  assert.deepStrictEqual(codes(typist.news()), [["cast", "rate"]]);
  // Others are not held up by it.
  join().say(cast());
  assert.equal(listener.news().length, 1);
});

Deno.test("somebody who types fast is heard all the time", () => {
  const { join, pass } = world();
  const listener = join().say(interest("t"));
  const typist = join();
  for (let i = 0; i < 3000; i++) {
    typist.say(cast());
    pass(1000 / 30);
  }
  assert.equal(listener.news().length, 3001);
  assert.deepStrictEqual(typist.news(), []);
});

Deno.test("a reader that is behind gets no casts, and all announcements", () => {
  const { join } = world();
  const [slow, fast] = [join([], TOPIC_LIMITS.waitingBytes + 1), join()];
  for (const person of [slow, fast]) person.say(interest("t"));
  join().say(cast(), announce(alice), cast());
  assert.deepStrictEqual(codes(slow.news()), ["present", "announced"]);
  assert.deepStrictEqual(codes(fast.news()), ["present", "heard", "announced", "heard"]);
  slow.waiting = 0;
  join().say(cast());
  assert.deepStrictEqual(codes(slow.news()), ["heard"]);
});

const BOUNDS: readonly [string, Partial<TopicLimits>, TopicMessage[]][] = [
  ["topics of one connection", { interests: 2 }, ["a", "b", "c"].map(interest)],
  [
    "announcements of one connection",
    { announcements: 2 },
    ["a", "b", "c"].map((topic) => announce(alice, undefined, topic)),
  ],
  ["all that is kept", { entries: 2 }, [interest("a"), announce(alice), interest("c")]],
];

for (const [what, limits, asked] of BOUNDS) {
  Deno.test(`past the bound of ${what} more is refused, until there is room`, () => {
    const { join } = world(limits);
    const person = join().say(...asked);
    assert.deepStrictEqual(codes(person.news()).at(-1), [asked[2].type, "refused"]);
    // Saying again what is there takes no room.
    person.say(asked[0], asked[1]);
    assert.ok(person.news().every(({ type }) => type !== "refuse"));
    const [first] = asked;
    person.say(
      { ...first, type: first.type === "interest" ? "uninterest" : "withdraw" } as TopicMessage,
    );
    person.news();
    person.say(asked[2]);
    assert.ok(person.news().every(({ type }) => type !== "refuse"));
  });
}

Deno.test("a full topic refuses more announcements, tells of all in one message, and goes on", () => {
  const { join } = world();
  const keys = Array.from(
    { length: ANNOUNCED_MAX + 1 },
    (_, i) => keyFromBytes(new Uint8Array(32).fill(i % 256).with(1, i >> 8)),
  );
  // As long as it gets: characters that JSON writes as six.
  const topic = "\u0001".repeat(200);
  const people = keys.map((key) => join([key]).say(announce(key, key, topic)));
  assert.deepStrictEqual(codes(people.at(-1)!.news()), [["announce", "refused"]]);
  const [message] = join().say(interest(topic)).news();
  assert.equal(message.type === "present" && message.announcements.length, ANNOUNCED_MAX);
  // What is there already can be said by more connections.
  assert.deepStrictEqual(join([keys[0]]).say(announce(keys[0], keys[0], topic)).news(), []);
  people[7].seat.leave();
  assert.deepStrictEqual(people.at(-1)!.say(announce(keys[256], keys[256], topic)).news(), []);
});

Deno.test("changes of interests and announcements are bounded in rate: each may cost many messages", () => {
  const { join, pass, topics } = world({ changes: { burst: 2, perSecond: 2 } });
  const person = join();
  const toggle = [interest("t"), uninterest("t")];
  person.say(...toggle, ...toggle, ...toggle);
  assert.deepStrictEqual(codes(person.news()), ["present", "present", ["interest", "rate"]]);
  pass(500);
  person.say(interest("t"), announce(alice));
  assert.deepStrictEqual(codes(person.news()), ["present", ["announce", "rate"]]);
  // Whoever has enough of it can always stop.
  person.say(uninterest("t"));
  assert.deepStrictEqual(person.news(), []);
  assert.equal(topics.size, 0);
});

Deno.test("a client that comes back can say again all that it may have said, at once", () => {
  const { join } = world();
  const { interests, announcements } = TOPIC_LIMITS;
  const person = join();
  for (let i = 0; i < interests; i++) person.say(interest(`topic ${i}`));
  for (let i = 0; i < announcements; i++) person.say(announce(alice, undefined, `topic ${i}`));
  assert.ok(person.news().every(({ type }) => type !== "refuse"));
});

Deno.test("a token bucket gives a burst and then its rate, also when the clock is set back", () => {
  let now = 0;
  const bucket = new TokenBucket({ burst: 2, perSecond: 1 }, () => now);
  const takes = (count: number) => Array.from({ length: count }, () => bucket.take());
  assert.deepStrictEqual(takes(3), [true, true, false]);
  now = 999;
  assert.deepStrictEqual(takes(1), [false]);
  now = 1000;
  assert.deepStrictEqual(takes(2), [true, false]);
  now = -5_000_000;
  assert.deepStrictEqual(takes(1), [false]);
  now += 1000;
  assert.deepStrictEqual(takes(2), [true, false]);
  now = 1e12;
  assert.deepStrictEqual(takes(3), [true, true, false]);
});
