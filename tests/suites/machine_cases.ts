/** Channels, heads and runs for tests of the machine, and how its cases are run. */

import assert from "node:assert/strict";
import type { SignedHead } from "../../core/log/head.ts";
import type { Run } from "../../core/log/run.ts";
import type { ChannelState, Input, Phase } from "../../core/sync/channel_state.ts";
import { newChannel, step } from "../../core/sync/machine.ts";
import type { Position } from "../../core/log/run.ts";
import { signerOf } from "./people.ts";

const { key } = await signerOf("alice");

/** A root that `byte` stands for. */
export const root = (byte: number): Uint8Array => new Uint8Array(32).fill(byte);

/** The position of a log that `byte` stands for. */
export function position(blocks: number, byte = 1): Position {
  return { epoch: 0, blocks, root: root(byte) };
}

/** A peer's head: of another log than {@link position} gives. */
export function head(blocks: number, byte = 2): SignedHead {
  const signature = new Uint8Array(64);
  return {
    ...position(blocks, byte),
    key,
    flags: 0,
    bytes: blocks * 10,
    record: undefined,
    signature,
  };
}

/** A run under a head of so many blocks. */
export function run(first: number, blocks: number): Run {
  return { head: head(blocks), first, blocks: [new Uint8Array(1)], proof: [] };
}

/** What this side has, all of it under its head. */
export function own(blocks: number): { own: Position; ownHead: number } {
  return { own: position(blocks), ownHead: blocks };
}

/** What makes a channel one that was asked for by the other side, such as a relay's. */
export const answerer: Partial<ChannelState> = { isOpener: false, canMerge: false };

/** The peer does not take a run, and shows its head. */
export function conflict(of: SignedHead | undefined): Input {
  return { type: "reject", code: "conflict", message: "", head: of };
}

/** A channel with 10 blocks that is live. */
export function channel(change: Partial<ChannelState> = {}): ChannelState {
  const { isOpener = true, canMerge = true } = change;
  return { ...newChannel(isOpener, canMerge, position(10), 10), phase: "live", ...change };
}

/** One input, and what becomes of it. */
export interface Case {
  readonly name: string;
  readonly state?: Partial<ChannelState>;
  readonly input: Input;
  readonly phase: Phase;
  readonly effects: readonly string[];
  /** Fields of the state after. */
  readonly after?: Partial<ChannelState>;
}

/** Registers a test for each case. */
export function testCases(cases: readonly Case[]): void {
  for (const { name, state, input, phase, effects, after } of cases) {
    Deno.test(`machine: ${name}`, () => {
      const before = channel(state);
      const [next, done] = step(Object.freeze(before), input);
      assert.equal(next.phase, phase);
      const names = done.map((effect) => {
        if (effect.type === "refuse") return `refuse ${effect.code}`;
        return effect.type === "send" ? `send ${effect.message.type}` : effect.type;
      });
      assert.deepStrictEqual(names, effects);
      for (const [field, value] of Object.entries(after ?? {})) {
        assert.deepStrictEqual(next[field as keyof ChannelState], value, field);
      }
      assert.deepStrictEqual(step(before, input), [next, done], "it is pure");
    });
  }
}
