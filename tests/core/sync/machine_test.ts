import assert from "node:assert/strict";
import type { SignedHead } from "../../../core/log/head.ts";
import type { Run } from "../../../core/log/run.ts";
import {
  type ChannelState,
  type Input,
  newChannel,
  type Phase,
  step,
} from "../../../core/sync/machine.ts";
import type { Position } from "../../../core/sync/messages.ts";
import { signerOf } from "../../suites/people.ts";
import { type RandomSource, randomSource } from "../../suites/random.ts";
import { ModelSide } from "../../suites/sync_model.ts";

const { key } = await signerOf("alice");
const root = (byte: number) => new Uint8Array(32).fill(byte);
const position = (blocks: number, byte = 1): Position => ({ epoch: 0, blocks, root: root(byte) });
const head = (blocks: number, byte = 2): SignedHead => ({
  ...position(blocks, byte),
  key,
  flags: 0,
  bytes: blocks * 10,
  record: undefined,
  signature: new Uint8Array(64),
});
const run = (first: number, blocks: number): Run => ({
  head: head(blocks),
  first,
  blocks: [new Uint8Array(1)],
  proof: [],
});
const own = (blocks: number) => ({ own: position(blocks), ownHead: blocks });

/** A channel with 10 blocks. */
function channel(change: Partial<ChannelState> = {}): ChannelState {
  const { isOpener = true, canMerge = true } = change;
  return { ...newChannel(isOpener, canMerge, position(10), 10), phase: "live", ...change };
}

interface Case {
  readonly name: string;
  readonly state?: Partial<ChannelState>;
  readonly input: Input;
  readonly phase: Phase;
  readonly effects: readonly string[];
  /** Fields of the state after. */
  readonly after?: Partial<ChannelState>;
}

const answerer = { isOpener: false, canMerge: false };
const conflict = (of: SignedHead | undefined): Input => ({
  type: "reject",
  code: "conflict",
  message: "",
  head: of,
});

const CASES: readonly Case[] = [
  { name: "start", input: { type: "start" }, phase: "opening", effects: ["open"] },
  // What an answerer does when it is asked.
  {
    name: "a peer with nothing asks",
    state: answerer,
    input: { type: "open", have: undefined, shares: true },
    phase: "live",
    effects: ["opened", "pump"],
    after: { sent: 0, peerOpens: true },
  },
  {
    name: "a peer with a part asks",
    state: answerer,
    input: { type: "open", have: position(4), shares: true },
    phase: "live",
    effects: ["opened", "pump"],
    after: { sent: 4 },
  },
  {
    name: "a peer with all of it asks",
    state: answerer,
    input: { type: "open", have: position(10), shares: true },
    phase: "live",
    effects: ["opened"],
  },
  {
    name: "a peer with another branch asks",
    state: answerer,
    input: { type: "open", have: position(12), shares: false },
    phase: "live",
    effects: ["opened"],
    after: { sent: undefined },
  },
  // What an opener makes of the answer.
  {
    name: "the peer has nothing",
    input: { type: "head", head: undefined, shared: undefined, prefix: 0 },
    phase: "live",
    effects: ["pump"],
    after: { sent: 0 },
  },
  {
    name: "the peer has all that is here and more",
    input: { type: "head", head: head(12), shared: 10, prefix: undefined },
    phase: "live",
    effects: [],
    after: { sent: 10, acked: 10 },
  },
  {
    name: "the peer has the first part",
    input: { type: "head", head: head(6), shared: undefined, prefix: 6 },
    phase: "live",
    effects: ["pump"],
    after: { sent: 6, acked: 6 },
  },
  {
    name: "the peer has another branch",
    input: { type: "head", head: head(12), shared: undefined, prefix: undefined },
    phase: "comparing",
    effects: ["askRoots"],
    after: { low: 0, high: 10 },
  },
  {
    name: "the peer has a shorter other branch",
    input: { type: "head", head: head(4), shared: undefined, prefix: undefined },
    phase: "comparing",
    effects: ["askRoots"],
    after: { low: 0, high: 3 },
  },
  {
    name: "a peer that was asked nothing tells of another branch: not the answerer's to settle",
    state: answerer,
    input: { type: "head", head: head(12), shared: undefined, prefix: undefined },
    phase: "live",
    effects: [],
    after: { sent: undefined },
  },
  // Comparing.
  {
    name: "roots narrow it down",
    state: { phase: "comparing", low: 0, high: 9, peer: head(12) },
    input: { type: "compared", at: [3, 6, 9], same: [true, false, false] },
    phase: "comparing",
    effects: ["askRoots"],
    after: { low: 3, high: 5 },
  },
  {
    name: "the common part is found, and a signer fetches the rest",
    state: { phase: "comparing", low: 5, high: 6, peer: head(12) },
    input: { type: "compared", at: [6], same: [false] },
    phase: "fetching",
    effects: ["fetch"],
  },
  {
    name: "a reader whose branch loses fetches the rest",
    state: { phase: "comparing", low: 5, high: 6, peer: head(12), canMerge: false },
    input: { type: "compared", at: [6], same: [false] },
    phase: "fetching",
    effects: ["fetch"],
  },
  {
    name: "a reader whose branch wins stays apart",
    state: { phase: "comparing", low: 5, high: 6, peer: head(8), canMerge: false },
    input: { type: "compared", at: [6], same: [false] },
    phase: "apart",
    effects: [],
  },
  {
    name: "of two that asked each other, the winner waits",
    state: { phase: "comparing", low: 5, high: 6, peer: head(8), peerOpens: true },
    input: { type: "compared", at: [6], same: [false] },
    phase: "apart",
    effects: ["opened"],
  },
  {
    name: "theirs goes on where this one ends",
    state: { phase: "comparing", low: 9, high: 10, peer: head(12) },
    input: { type: "compared", at: [10], same: [true] },
    phase: "live",
    effects: ["send want"],
    after: { sent: 10 },
  },
  {
    name: "roots that contradict each other",
    state: { phase: "comparing", low: 0, high: 9, peer: head(12) },
    input: { type: "compared", at: [3, 6], same: [false, true] },
    phase: "comparing",
    effects: ["refuse malformed"],
  },
  {
    name: "roots that were not asked for narrow nothing down",
    state: { phase: "comparing", low: 0, high: 9, peer: head(12) },
    input: { type: "compared", at: [77, 0], same: [true, true] },
    phase: "comparing",
    effects: ["refuse malformed"],
  },
  {
    name: "no roots at all",
    state: { phase: "comparing", low: 0, high: 9, peer: head(12) },
    input: { type: "compared", at: [], same: [] },
    phase: "comparing",
    effects: ["refuse malformed"],
  },
  {
    name: "roots that nobody waits for",
    input: { type: "compared", at: [3], same: [true] },
    phase: "live",
    effects: [],
  },
  {
    name: "news of a longer head while comparing",
    state: { phase: "comparing", low: 2, high: 9, peer: head(12) },
    input: { type: "head", head: head(13), shared: undefined, prefix: undefined },
    phase: "comparing",
    effects: [],
    after: { low: 2, high: 9, peer: head(13) },
  },
  // Runs.
  {
    name: "the next run",
    input: { type: "run", run: run(10, 12) },
    phase: "live",
    effects: ["store"],
  },
  {
    name: "a run that gives up what was staged",
    state: { own: position(15) },
    input: { type: "run", run: run(10, 12) },
    phase: "live",
    effects: ["store"],
  },
  {
    name: "a run with a gap before it: an opener asks again",
    input: { type: "run", run: run(12, 14) },
    phase: "opening",
    effects: ["open"],
    after: { sent: undefined },
  },
  {
    name: "a run with a gap before it: an answerer refuses",
    state: answerer,
    input: { type: "run", run: run(12, 14) },
    phase: "live",
    effects: ["refuse conflict"],
  },
  {
    name: "a run that is here already: an opener looks at its head",
    input: { type: "run", run: run(8, 12) },
    phase: "live",
    effects: ["inspect"],
  },
  {
    name: "an old run: an opener looks at its head",
    input: { type: "run", run: run(3, 5) },
    phase: "live",
    effects: ["inspect"],
  },
  {
    name: "an old run: an answerer refuses",
    state: answerer,
    input: { type: "run", run: run(3, 5) },
    phase: "live",
    effects: ["refuse stale"],
  },
  {
    name: "a run that is here already: an answerer refuses",
    state: answerer,
    input: { type: "run", run: run(8, 12) },
    phase: "live",
    effects: ["refuse conflict"],
  },
  {
    name: "a run while comparing",
    state: { phase: "comparing" },
    input: { type: "run", run: run(10, 12) },
    phase: "comparing",
    effects: ["inspect"],
  },
  {
    name: "a run while fetching",
    state: { phase: "fetching" },
    input: { type: "run", run: run(5, 12) },
    phase: "fetching",
    effects: ["hold"],
  },
  // What happens here.
  {
    name: "a stored run is not sent back",
    state: { sent: 10 },
    input: { type: "stored", ...own(12) },
    phase: "live",
    effects: [],
    after: { sent: 12, acked: 12 },
  },
  {
    name: "a merge that took the peer's place is sent",
    state: { phase: "fetching" },
    input: { type: "replaced", ...own(14), peerBlocks: 12 },
    phase: "live",
    effects: ["pump"],
    after: { sent: 12, acked: 12 },
  },
  {
    name: "a local write is sent",
    state: { sent: 10, acked: 10 },
    input: { type: "advanced", ...own(11), from: 10, fromPeer: false },
    phase: "live",
    effects: ["pump"],
  },
  {
    name: "what the peer brought is not sent back",
    state: { sent: 10 },
    input: { type: "advanced", ...own(12), from: 10, fromPeer: true },
    phase: "live",
    effects: [],
    after: { sent: 12 },
  },
  {
    name: "what was replaced by way of another peer is sent, and not acknowledged any more",
    state: { sent: 10, acked: 10 },
    input: { type: "advanced", ...own(8), from: 5, fromPeer: false },
    phase: "live",
    effects: ["pump"],
    after: { sent: 5, acked: 5 },
  },
  {
    name: "an answerer tells a peer with another branch of its new head",
    state: { ...answerer, sent: undefined },
    input: { type: "advanced", ...own(11), from: 10, fromPeer: false },
    phase: "live",
    effects: ["opened"],
  },
  {
    name: "a write while comparing waits",
    state: { phase: "comparing", sent: undefined },
    input: { type: "advanced", ...own(11), from: 10, fromPeer: false },
    phase: "comparing",
    effects: [],
  },
  // Acknowledgements and refusals.
  {
    name: "an acknowledgement opens the window",
    state: { sent: 8 },
    input: { type: "ack", blocks: 8 },
    phase: "live",
    effects: ["pump"],
    after: { acked: 8 },
  },
  {
    name: "an acknowledgement of more than was sent counts for what was sent",
    state: { sent: 8, acked: 3 },
    input: { type: "ack", blocks: 2 ** 40 },
    phase: "live",
    effects: ["pump"],
    after: { acked: 8 },
  },
  {
    name: "an acknowledgement of nothing that was sent",
    state: { sent: undefined, acked: 3 },
    input: { type: "ack", blocks: 9 },
    phase: "live",
    effects: [],
    after: { acked: 3 },
  },
  {
    name: "blocks are wanted",
    state: { ...answerer, sent: 10 },
    input: { type: "want", from: 4 },
    phase: "live",
    effects: ["pump"],
    after: { sent: 4 },
  },
  {
    name: "blocks are wanted that are not here",
    state: answerer,
    input: { type: "want", from: 11 },
    phase: "live",
    effects: ["refuse not_found"],
  },
  {
    name: "a conflict makes an opener look",
    state: { sent: 10 },
    input: conflict(head(12)),
    phase: "live",
    effects: ["inspect"],
    after: { sent: undefined },
  },
  {
    name: "a conflict with a peer that has no head makes an opener ask again",
    state: { sent: 10 },
    input: conflict(undefined),
    phase: "opening",
    effects: ["open"],
  },
  {
    name: "a conflict told to an answerer",
    state: { ...answerer, sent: 10 },
    input: conflict(head(12)),
    phase: "refused",
    effects: [],
  },
  {
    name: "any other refusal ends sending",
    state: { sent: 10 },
    input: { type: "reject", code: "refused", message: "no room", head: undefined },
    phase: "refused",
    effects: [],
    after: { sent: undefined, refusal: { code: "refused", message: "no room" } },
  },
  {
    name: "a refusal while comparing is about what was sent before",
    state: { phase: "comparing" },
    input: conflict(head(12)),
    phase: "comparing",
    effects: [],
  },
];

for (const { name, state, input, phase, effects, after } of CASES) {
  Deno.test(`machine: ${name}`, () => {
    const before = channel(state);
    const [next, done] = step(Object.freeze(before), input);
    assert.equal(next.phase, phase);
    assert.deepStrictEqual(
      done.map((effect) => {
        if (effect.type === "refuse") return `refuse ${effect.code}`;
        return effect.type === "send" ? `send ${effect.message.type}` : effect.type;
      }),
      effects,
    );
    for (const [field, value] of Object.entries(after ?? {})) {
      assert.deepStrictEqual(next[field as keyof ChannelState], value, field);
    }
    assert.deepStrictEqual(step(before, input), [next, done], "it is pure");
  });
}

Deno.test("machine: answers that lead nowhere end after a bounded number of tries", () => {
  const inputs: [string, Input][] = [
    ["conflicts", conflict(head(6))],
    ["conflicts without a head", conflict(undefined)],
    ["gaps", { type: "run", run: run(12, 14) }],
  ];
  for (const [name, input] of inputs) {
    let state = channel({ sent: 10 });
    let rounds = 0;
    for (;;) {
      const [next, [effect]] = step(state, input);
      if (effect.type === "refuse") break;
      [state] = step(next, { type: "head", head: head(6), shared: undefined, prefix: 6 });
      assert.ok(++rounds < 100, name);
    }
    assert.ok(rounds >= 16, `${name}: honest races take a few`);
    assert.equal(step({ ...state, sent: 9, acked: 8 }, { type: "ack", blocks: 9 })[0].tries, 0);
  }
});

Deno.test("machine: a log of 2^40 blocks is compared in at most nine questions", () => {
  for (const common of [0, 1, 31, 1_000_003, 2 ** 40 - 2]) {
    let state = channel({ own: position(2 ** 40), ownHead: 2 ** 40 });
    let [next, effects] = step(state, {
      type: "head",
      head: head(2 ** 40),
      shared: undefined,
      prefix: undefined,
    });
    let questions = 0;
    while (effects[0].type === "askRoots") {
      questions++;
      const { at } = effects[0];
      assert.ok(at.length <= 32);
      state = next;
      [next, effects] = step(state, { type: "compared", at, same: at.map((n) => n <= common) });
    }
    assert.equal(effects[0].type, "fetch");
    assert.equal(effects[0].type === "fetch" && effects[0].from, common);
    assert.ok(questions <= 9, `${questions} questions`);
  }
});

/** Delivers and writes in a random order until nothing is on its way. */
function settle(sides: readonly ModelSide[], writes: number, random: RandomSource): void {
  for (let steps = 0;; steps++) {
    assert.ok(steps < 20_000, `${random.seed}: it never ends`);
    const busy = sides.filter(({ outbox }) => outbox.length > 0);
    if (busy.length === 0 && writes === 0) return;
    if (writes > 0 && random.integer(0, 9) === 0) {
      writes--;
      const writer = sides[random.integer(0, 1)];
      if (writer.state.canMerge) writer.write();
    } else if (busy.length > 0) {
      const from = busy[random.integer(0, busy.length - 1)];
      sides[1 - sides.indexOf(from)].receive(from.outbox.shift()!);
    }
  }
}

const PAIRS = {
  "a device and a relay": [{ isOpener: true, canMerge: true }, answerer],
  "a reader and a relay": [{ isOpener: true, canMerge: false }, answerer],
  "two devices that ask each other": [
    { isOpener: true, canMerge: true },
    { isOpener: true, canMerge: true },
  ],
  "a device and a reader that ask each other": [
    { isOpener: true, canMerge: true },
    { isOpener: true, canMerge: false },
  ],
} as const;

for (const [name, kinds] of Object.entries(PAIRS)) {
  Deno.test(`machine: ${name} end on equal logs, or know that they are apart`, () => {
    const random = randomSource();
    let equal = 0;
    for (let i = 0; i < 400; i++) {
      const common = words("c", random.integer(0, 6));
      const sides = kinds.map((kind, side) =>
        new ModelSide({
          ...kind,
          name: "ab"[side],
          words: [...common, ...words("xy"[side], random.integer(0, random.integer(0, 5)))],
          random,
        })
      );
      for (const side of sides) if (side.state.isOpener) side.start();
      settle(sides, random.integer(0, 6), random);
      const [a, b] = sides;
      const context = `${random.seed}, case ${i}: ${a.words} | ${b.words} ${a.state.phase}`;
      assert.deepStrictEqual([a.violation, b.violation], ["", ""], context);
      const isEqual = String(a.words) === String(b.words);
      if (isEqual) equal++;
      else if (!kinds.some(({ canMerge }) => canMerge)) {
        assert.equal(a.state.phase, "apart", context);
      } else assert.fail(`they differ: ${context}`);
      assert.ok(a.merges + b.merges <= 12, context);
    }
    assert.ok(equal > 200, `${equal} of 400 ended equal`);
  });
}

function words(letter: string, count: number): string[] {
  return Array.from({ length: count }, (_, i) => `${letter}${i}`);
}
