/** Topics across relays: networks of them, with messages that take any time, against a naive model. */

import assert from "node:assert/strict";
import { type Key, keyFromBytes } from "../../../core/identity/key.ts";
import { decodeMessage, type Message, type TopicNews } from "../../../core/sync/messages.ts";
import type { Seat, TopicLink } from "../../../core/sync/topic_members.ts";
import { Topics } from "../../../core/sync/topics.ts";
import { seeded } from "../../suites/test_log.ts";

const TOPIC = "t";
const keyOf = (n: number): Key => keyFromBytes(new Uint8Array(32).fill(n + 1));

/** Relays, who asks whom, and what is on its way between them. */
class Network {
  readonly relays: Topics[];
  readonly clients: Client[] = [];
  /** What each message does when it arrives; one queue for each direction of a connection. */
  readonly #queues = new Set<(() => void)[]>();
  readonly #links = new Map<string, () => void>();
  readonly random: () => number;
  sent = 0;

  constructor(count: number, random: () => number) {
    this.random = random;
    this.relays = Array.from({ length: count }, (_, n) =>
      new Topics({
        name: `relay${n}`,
        clock: () => 0,
        timer: () => assert.fail("nobody is to wait"),
        randomBytes: (length) => Uint8Array.from({ length }, () => random() * 256),
      }));
  }

  pick<T>(list: readonly T[]): T {
    return list[Math.floor(this.random() * list.length)];
  }

  isLinked(from: number, to: number): boolean {
    return this.#links.has(`${from} ${to}`);
  }

  /** Relay `from` asks relay `to`. */
  link(from: number, to: number): void {
    const [up, down]: (() => void)[][] = [[], []];
    this.#queues.add(up).add(down);
    const rest = { keys: new Set<Key>(), bufferedBytes: () => 0 };
    let link: TopicLink | undefined = undefined;
    const send = (queue: (() => void)[], take: (message: Message) => void) => (text: string) => {
      this.sent++;
      queue.push(() => take(decodeMessage(text)));
    };
    const seat = this.relays[to].join({
      ...rest,
      relay: this.relays[from].name,
      send: send(down, (news) => {
        assert.notEqual(news.type, "refuse");
        link!.hear(news as TopicNews);
      }),
    });
    const upstream = { ...rest, relay: this.relays[to].name };
    link = this.relays[from].link({
      ...upstream,
      send: send(up, (message) => seat.take(message as Parameters<Seat["take"]>[0])),
    });
    this.#links.set(`${from} ${to}`, () => {
      this.#queues.delete(up);
      this.#queues.delete(down);
      seat.leave();
      link!.leave();
    });
  }

  unlink(from: number, to: number): void {
    this.#links.get(`${from} ${to}`)!();
    this.#links.delete(`${from} ${to}`);
  }

  /** Delivers up to `count` messages, each of any connection. */
  deliver(count = Infinity): void {
    for (; count > 0; count--) {
      const full = [...this.#queues].filter(({ length }) => length > 0);
      if (full.length === 0) return;
      this.pick(full).shift()!();
      assert.ok(this.sent < 50_000, "messages go round without end");
    }
  }

  /** Relays that hear relay `at` whatever they ask for: those above it, and then those below these. */
  reach(at: number, isKnown: (from: number, to: number) => boolean): Set<number> {
    const found = new Set([at]);
    for (const from of found) {
      this.relays.forEach((_, to) => isKnown(from, to) && found.add(to));
    }
    return found;
  }

  surely(at: number): Set<number> {
    const up = [...this.reach(at, (from, to) => this.isLinked(from, to))];
    return new Set(
      up.flatMap((top) => [...this.reach(top, (from, to) => this.isLinked(to, from))]),
    );
  }

  atMost(at: number): Set<number> {
    return this.reach(at, (from, to) => this.isLinked(from, to) || this.isLinked(to, from));
  }
}

/** Who is interested at one relay, and may announce and cast there. */
class Client {
  readonly at: number;
  readonly seat: Seat;
  readonly present = new Set<Key>();
  readonly announced = new Set<Key>();
  readonly heard: string[] = [];

  constructor(network: Network, at: number) {
    this.at = at;
    this.seat = network.relays[at].join({
      keys: new Set(),
      bufferedBytes: () => 0,
      send: (text) => this.#hear(decodeMessage(text) as TopicNews),
    });
    this.seat.take({ type: "interest", topic: TOPIC });
  }

  announce(key: Key): void {
    this.announced.add(key);
    this.seat.take({ type: "announce", topic: TOPIC, key, by: undefined });
  }

  withdraw(key: Key): void {
    this.announced.delete(key);
    this.seat.take({ type: "withdraw", topic: TOPIC, key, by: undefined });
  }

  cast(data: Uint8Array): void {
    this.seat.take({ type: "cast", topic: TOPIC, data, by: undefined });
  }

  #hear(news: TopicNews): void {
    if (news.type === "present") {
      for (const { key } of news.announcements) {
        this.present.add(key);
      }
    } else if (news.type === "heard") this.heard.push(news.data.toHex());
    else if (news.type === "announced") {
      assert.ok(!this.present.has(news.key), "nothing is announced twice");
      this.present.add(news.key);
    } else assert.ok(this.present.delete(news.key), "what was never there is not withdrawn");
  }
}

/** What every client must see, and must not see, when nothing is on its way any more. */
function check(network: Network): void {
  for (const client of network.clients) {
    const must = new Set<Key>();
    const may = new Set<Key>();
    for (const { at, announced } of network.clients) {
      if (network.surely(at).has(client.at)) announced.forEach((key) => must.add(key));
      if (network.atMost(at).has(client.at)) announced.forEach((key) => may.add(key));
    }
    for (const key of must) assert.ok(client.present.has(key), "announced, and not there");
    for (const key of client.present) assert.ok(may.has(key), "there, and announced by nobody");
  }
}

function castOnce(network: Network, from: Client, n: number): void {
  const data = new Uint8Array([n]);
  from.cast(data);
  network.deliver();
  for (const client of network.clients) {
    const times = client.heard.splice(0).filter((found) => found === data.toHex()).length;
    assert.ok(times <= 1, `heard ${times} times`);
    if (client !== from && network.surely(from.at).has(client.at)) assert.equal(times, 1);
    if (client === from || !network.atMost(from.at).has(client.at)) assert.equal(times, 0);
  }
}

const SHAPES: Readonly<Record<string, readonly (readonly [number, number])[]>> = {
  "two that ask each other": [[0, 1], [1, 0]],
  "a chain": [[0, 1], [1, 2], [2, 3]],
  "a tree": [[0, 3], [1, 3], [2, 3], [3, 4]],
  "a ring": [[0, 1], [1, 2], [2, 3], [3, 0]],
  "a ring both ways": [[0, 1], [1, 2], [2, 0], [1, 0], [2, 1], [0, 2]],
  "two above two": [[0, 2], [0, 3], [1, 2], [1, 3]],
  "all that ask all above them": [[0, 1], [0, 2], [0, 3], [1, 2], [1, 3], [2, 3]],
};

for (const [name, links] of Object.entries(SHAPES)) {
  Deno.test(`topics among relays, ${name}: everybody sees who is there, hears casts once, and sees nobody who left`, () => {
    for (let seed = 1; seed <= 25; seed++) {
      const random = seeded(seed);
      const network = new Network(Math.max(...links.flat()) + 1, random);
      try {
        run(network, links);
      } catch (error) {
        throw new Error(`seed ${seed}`, { cause: error });
      }
    }
  });
}

function run(network: Network, links: readonly (readonly [number, number])[]): void {
  for (const [from, to] of links) network.link(from, to);
  for (let step = 0; step < 60; step++) {
    act(network, links);
    network.deliver(Math.floor(network.random() * 12));
    if (step % 10 === 9) {
      network.deliver();
      check(network);
      if (network.clients.length > 0) castOnce(network, network.pick(network.clients), step);
    }
  }
  for (const client of network.clients.splice(0)) client.seat.leave();
  network.deliver();
  for (const topics of network.relays) assert.equal(topics.size, 0, "nothing is left of it");
}

function act(network: Network, links: readonly (readonly [number, number])[]): void {
  const choice = network.random();
  const { clients } = network;
  if (clients.length < 2 || choice < 0.15) {
    const at = Math.floor(network.random() * network.relays.length);
    clients.push(new Client(network, at));
  } else if (choice < 0.25) {
    const [client] = clients.splice(Math.floor(network.random() * clients.length), 1);
    client.seat.leave();
  } else if (choice < 0.6) {
    network.pick(clients).announce(keyOf(Math.floor(network.random() * 4)));
  } else if (choice < 0.85) {
    const client = network.pick(clients);
    if (client.announced.size > 0) client.withdraw(network.pick([...client.announced]));
  } else {
    const [from, to] = network.pick(links);
    if (network.isLinked(from, to)) network.unlink(from, to);
    else network.link(from, to);
  }
}
