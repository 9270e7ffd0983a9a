/** Relays that ask each other for one log, in any shape: by the rules alone, messages taking any time. */

import assert from "node:assert/strict";
import { leavesTo, type Via, wayTo } from "../../../core/sync/via.ts";
import { seeded } from "../../suites/test_log.ts";

type Edge = readonly [from: number, to: number];

/** What each relay asks of those that it may ask. */
class Network {
  readonly #names: readonly string[];
  readonly #edges: readonly Edge[];
  readonly random: () => number;
  /** How many ask at each relay by themselves. */
  readonly local: number[];
  /** By relay, by way of which others it is asked. */
  readonly #asked: Map<number, Via>[];
  readonly #said = new Map<Edge, Via>();
  readonly #onTheWay = new Map<Edge, (Via | undefined)[]>();
  #delivered = 0;

  constructor(edges: readonly Edge[], random: () => number) {
    const count = Math.max(...edges.flat()) + 1;
    this.random = random;
    this.#edges = edges;
    this.#names = Array.from({ length: count }, (_, i) => `${Math.floor(random() * 1e6)}relay${i}`);
    this.local = Array(count).fill(0);
    this.#asked = Array.from({ length: count }, () => new Map());
    for (const edge of edges) this.#onTheWay.set(edge, []);
  }

  /** A relay looks at what it is asked, and asks others. */
  update(relay: number): void {
    const own = this.#names[relay];
    const ways = [...Array(this.local[relay]).fill([]), ...this.#asked[relay].values()];
    for (const edge of this.#edges.filter(([from]) => from === relay)) {
      const peer = this.#names[edge[1]];
      const via = leavesTo(peer, ways, own) ? undefined : wayTo(ways, peer, own);
      if (this.#said.get(edge)?.join() === via?.join()) continue;
      if (via === undefined) this.#said.delete(edge);
      else this.#said.set(edge, via);
      this.#onTheWay.get(edge)!.push(via);
    }
  }

  /** Delivers up to `count` messages, each of any connection. */
  deliver(count = Infinity): void {
    for (; count > 0; count--) {
      const full = [...this.#onTheWay].filter(([, { length }]) => length > 0);
      if (full.length === 0) return;
      const [[from, to], messages] = full[Math.floor(this.random() * full.length)];
      const via = messages.shift();
      if (via === undefined) this.#asked[to].delete(from);
      else this.#asked[to].set(from, via);
      this.update(to);
      assert.ok(++this.#delivered < 5_000, "messages go round without end");
    }
  }

  /** Whoever is asked has all that is above: of two that may ask each other, one asks. */
  check(): void {
    this.local.forEach((count, relay) => {
      for (const [from, to] of count > 0 ? this.#edges : []) {
        if (from !== relay) continue;
        const isAsked = this.#asked[to].has(from) || this.#asked[from].has(to);
        assert.ok(isAsked, `${from} has somebody who asks, and is not connected to ${to} for it`);
      }
    });
  }

  get isQuiet(): boolean {
    return this.#said.size === 0 && this.#asked.every(({ size }) => size === 0);
  }
}

const ring = (count: number): Edge[] =>
  Array.from({ length: count }, (_, i) => [i, (i + 1) % count] as const);
const bothWays = (edges: readonly Edge[]): Edge[] => [
  ...edges,
  ...edges.map(([from, to]) => [to, from] as const),
];
const all = (count: number): Edge[] =>
  Array.from({ length: count * count }, (_, i) => [i % count, Math.floor(i / count)] as const)
    .filter(([from, to]) => from !== to);

const SHAPES: Readonly<Record<string, readonly Edge[]>> = {
  "two that ask each other": bothWays([[0, 1]]),
  "a chain": [[0, 1], [1, 2], [2, 3]],
  "a ring of three": ring(3),
  "a ring of five": ring(5),
  "a ring of three, both ways": bothWays(ring(3)),
  "a ring of five, both ways": bothWays(ring(5)),
  "four that ask all others": all(4),
};

for (const [name, edges] of Object.entries(SHAPES)) {
  Deno.test(`${name}: what is asked comes to rest, reaches all above, and ends with who asks`, () => {
    for (let seed = 1; seed <= 60; seed++) {
      const network = new Network(edges, seeded(seed));
      const { random, local } = network;
      for (let step = 0; step < 40; step++) {
        const relay = Math.floor(random() * local.length);
        local[relay] = Math.max(0, local[relay] + (random() < 0.5 ? 1 : -1));
        network.update(relay);
        network.deliver(Math.floor(random() * 6));
        if (step % 8 !== 7) continue;
        network.deliver();
        network.check();
      }
      local.fill(0);
      local.forEach((_, relay) => network.update(relay));
      network.deliver();
      assert.ok(network.isQuiet, `seed ${seed}: they ask for each other only`);
    }
  });
}
