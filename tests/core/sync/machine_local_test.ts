import assert from "node:assert/strict";
import type { Input } from "../../../core/sync/channel_state.ts";
import { step } from "../../../core/sync/machine.ts";
import {
  answerer,
  channel,
  conflict,
  head,
  own,
  position,
  run,
  testCases,
} from "../../suites/machine_cases.ts";

/** The peer has no room for what is offered. */
const full = { type: "reject", code: "too_large", message: "", head: undefined } as const;

testCases([
  // What happens here.
  {
    name: "a stored run is not sent back",
    state: { sent: 10 },
    input: { type: "stored", ...own(12), peerBlocks: 12 },
    phase: "live",
    effects: [],
    after: { sent: 12, acked: 12 },
  },
  {
    name: "what was written here while a run was stored is not what the peer has",
    state: { sent: 10 },
    input: { type: "stored", ...own(13), peerBlocks: 12 },
    phase: "live",
    effects: ["pump"],
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
    state: { sent: 12 },
    input: { type: "advanced", ...own(12), from: 10, fromPeer: true },
    phase: "live",
    effects: [],
    after: { sent: 12 },
  },
  {
    name: "what was replaced by way of another peer is not acknowledged any more: both look again",
    state: { sent: 10, acked: 10 },
    input: { type: "advanced", ...own(8), from: 5, fromPeer: false },
    phase: "opening",
    effects: ["open"],
    after: { sent: undefined, acked: 5 },
  },
  {
    name: "an answerer tells of a log that was replaced, and sends nothing before it is asked",
    state: { ...answerer, sent: 10, acked: 10 },
    input: { type: "advanced", ...own(12), from: 5, fromPeer: false },
    phase: "live",
    effects: ["opened"],
    after: { sent: undefined, acked: 5 },
  },
  {
    name: "news here while both stay apart: this side looks again",
    state: { phase: "apart", sent: undefined, peer: head(12) },
    input: { type: "advanced", ...own(13), from: 10, fromPeer: false },
    phase: "opening",
    effects: ["inspect"],
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
    name: "a branch that the peer has no room for is given up for the peer's",
    state: { sent: 10, offered: true, low: 5 },
    input: { ...full, canYield: true },
    phase: "fetching",
    effects: ["fetch"],
    after: { offered: false },
  },
  {
    name: "unless the peer's was merged here already: that would go on for ever",
    state: { sent: 10, offered: true, low: 5 },
    input: full,
    phase: "refused",
    effects: [],
  },
  {
    name: "who cannot merge does not give up a branch that wins",
    state: { sent: 10, offered: true, low: 5, canMerge: false },
    input: { ...full, canYield: true },
    phase: "refused",
    effects: [],
  },
  {
    name: "an offer is settled when all of it is acknowledged",
    state: { sent: 10, offered: true },
    input: { type: "ack", blocks: 10 },
    phase: "live",
    effects: [],
    after: { acked: 10, offered: false },
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
]);

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
      [state] = step(next, {
        type: "head",
        head: head(6),
        shared: undefined,
        prefix: 6,
        shown: 10,
      });
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
      shown: 10,
    });
    let questions = 0;
    while (effects[0].type === "askRoots") {
      questions++;
      const { at } = effects[0];
      assert.ok(at.length <= 32);
      state = next;
      [next, effects] = step(state, {
        type: "compared",
        at,
        same: at.map((n) => n <= common),
        shown: 0,
      });
    }
    assert.equal(effects[0].type, "fetch");
    assert.equal(effects[0].type === "fetch" && effects[0].from, common);
    assert.ok(questions <= 9, `${questions} questions`);
  }
});
