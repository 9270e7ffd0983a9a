/** Two machines and two lists instead of logs: what `channel.ts` does, without waiting for anything. */

import type { Code } from "../../core/errors.ts";
import { compareHeads, type SignedHead } from "../../core/log/head.ts";
import type { Run } from "../../core/log/run.ts";
import type { ChannelState, Effect, Input } from "../../core/sync/channel_state.ts";
import { newChannel, step } from "../../core/sync/machine.ts";
import type { Position } from "../../core/log/run.ts";
import type { RandomSource } from "./random.ts";
import { testCrypto } from "./test_log.ts";

/** A block is a word; a log is a list of them. */
type Words = readonly string[];

/** A head with everything that it covers: what a hash would prove. */
interface ModelHead extends SignedHead {
  readonly words: Words;
}

type ModelRun = Omit<Run, "head" | "blocks"> & { readonly head: ModelHead; readonly words: Words };

/** What one side tells the other. */
export type Sent =
  | { readonly type: "open"; readonly have: Position | undefined }
  | { readonly type: "opened"; readonly head?: ModelHead; readonly shared?: number }
  | { readonly type: "roots"; readonly at: readonly number[] }
  | { readonly type: "rooted"; readonly at: readonly number[]; readonly roots: string[] }
  | { readonly type: "want"; readonly from: number }
  | { readonly type: "replace"; readonly from: number }
  | { readonly type: "ack"; readonly blocks: number; readonly held?: boolean }
  /** A branch that lost: what is on the wire in pieces is here at once. */
  | { readonly type: "aside"; readonly words: Words }
  | { readonly type: "reject"; readonly code: Code; readonly head?: ModelHead }
  | { readonly type: "run"; readonly run: ModelRun };

/** Settings of one {@link ModelSide}. */
export interface ModelOptions {
  readonly name: string;
  readonly isOpener: boolean;
  readonly canMerge: boolean;
  readonly words: Words;
  /** How many of them others may have; all by default. */
  readonly shown?: number;
  readonly random: RandomSource;
}

/** One side of a model connection. */
export class ModelSide {
  readonly #options: ModelOptions;
  /** What is on its way to the other side. */
  readonly outbox: Sent[] = [];
  words: Words;
  /** Words that lost, until this side sees them merged. */
  asides: Words = [];
  state: ChannelState;
  /** Why it gave the connection up. */
  violation = "";
  merges = 0;
  #staged: Words;
  #fork: Words | undefined;
  #written = 0;
  /** Blocks that the other side may have. */
  #shown: number;

  constructor(options: ModelOptions) {
    this.#options = options;
    this.words = this.#staged = options.words;
    this.#shown = options.shown ?? options.words.length;
    const { isOpener, canMerge } = options;
    this.state = newChannel(isOpener, canMerge, positionOf(this.words), this.words.length);
  }

  start(): void {
    this.#input({ type: "start" });
  }

  /** Writes one more block here. */
  write(): void {
    const from = this.words.length;
    this.#become([...this.words, `${this.#options.name}${this.#written++}`], from, false);
  }

  /** Hears by way of somebody else what the other side has, if that only goes on from here. */
  learn(words: Words): void {
    const from = this.words.length;
    if (words.length <= from || this.words.some((word, i) => word !== words[i])) return;
    this.#become(words.slice(0, this.#options.random.integer(from + 1, words.length)), from, false);
  }

  receive(sent: Sent): void {
    switch (sent.type) {
      case "open":
        return this.#input({ ...sent, shares: this.#begins(sent.have) });
      case "opened":
        return this.#inspect(sent.head, sent.shared);
      case "roots": {
        const roots = sent.at.map((length) => rootOf(this.#staged, length));
        return void this.outbox.push({ type: "rooted", at: sent.at, roots });
      }
      case "rooted": {
        const same = sent.at.map((length, i) => rootOf(this.#staged, length) === sent.roots[i]);
        return this.#input({ type: "compared", at: sent.at, same, shown: this.#shown });
      }
      case "aside":
        return this.#takeIn(sent.words);
      case "ack":
        // Held, but not taken: nothing counts yet.
        return sent.held ? undefined : this.#input(sent);
      case "run":
        return this.#input({ type: "run", run: sent.run as unknown as Run });
      case "reject":
        return this.#input({ ...sent, message: "", head: sent.head, canYield: this.#canYield() });
      default:
        return this.#input(sent);
    }
  }

  #input(input: Input): void {
    if (this.violation !== "") return;
    const [state, effects] = step(this.state, input);
    this.state = state;
    this.#shown = Math.max(this.#shown, state.acked);
    for (const effect of effects) this.#do(effect);
  }

  #do(effect: Effect): void {
    switch (effect.type) {
      case "open":
        return void this.outbox.push({
          type: "open",
          have: this.#staged.length === 0 ? undefined : positionOf(this.#staged),
        });
      case "opened":
        return void this.outbox.push({ type: "opened", head: this.#head(), shared: effect.shared });
      case "send":
        return void this.outbox.push(effect.message as Sent);
      case "askRoots":
        return void this.outbox.push({ type: "roots", at: effect.at });
      case "pump":
        return this.#pump();
      case "store":
        return this.#store(effect.run as unknown as ModelRun);
      case "fetch":
        this.#fork = this.#staged.slice(0, effect.from);
        if (effect.isAsked) this.outbox.push({ type: "want", from: effect.from });
        return;
      case "hold":
        return this.#hold(effect.run as unknown as ModelRun);
      case "inspect":
        return this.#inspect(effect.head as ModelHead, undefined);
      case "refuse":
        return this.#refuse(effect.code);
    }
  }

  #pump(): void {
    const head = this.#head()!;
    while (this.state.sent !== undefined && this.state.sent < this.words.length) {
      const first = this.state.sent;
      const words = this.words.slice(first, first + this.#options.random.integer(1, 4));
      this.outbox.push({ type: "run", run: { head, first, words, proof: [] } });
      [this.state] = step(this.state, { type: "sent", to: first + words.length });
    }
  }

  #store(run: ModelRun): void {
    if (run.first !== this.#staged.length && run.first === this.words.length) {
      this.#staged = this.words;
    }
    if (run.first !== this.#staged.length) return this.#refuse("conflict");
    const staged = [...this.#staged, ...run.words];
    if (rootOf(run.head.words, staged.length) !== rootOf(staged, staged.length)) {
      return this.#input({ type: "misfit", run: run as unknown as Run });
    }
    this.#staged = staged;
    const isWhole = staged.length === run.head.blocks;
    if (isWhole) this.words = staged;
    this.asides = missing(this.asides, this.words);
    this.#shown = Math.max(this.#shown, staged.length);
    this.#input({ type: "stored", ...this.#own(), peerBlocks: staged.length });
    this.outbox.push({ type: "ack", blocks: staged.length });
    if (isWhole) this.#input({ type: "advanced", ...this.#own(), from: run.first, fromPeer: true });
  }

  #hold(run: ModelRun): void {
    const { isOpener, canMerge } = this.#options;
    if (run.first !== this.#fork?.length) {
      if (!isOpener) this.#input({ type: "dropped", code: "conflict", message: "" });
      return;
    }
    const fork = [...this.#fork, ...run.words];
    if (rootOf(run.head.words, fork.length) !== rootOf(fork, fork.length)) {
      this.#fork = undefined;
      return this.#refuse("bad_block");
    }
    this.#fork = fork;
    if (fork.length < run.head.blocks) {
      return void this.outbox.push({ type: "ack", blocks: fork.length, held: true });
    }
    this.#fork = undefined;
    if (!canMerge && !this.#losesTo(run.head)) {
      return this.#input({ type: "dropped", code: "stale", message: "" });
    }
    this.#giveWay(fork);
    this.#input({ type: "replaced", ...this.#own(), peerBlocks: fork.length });
    this.outbox.push({ type: "ack", blocks: fork.length });
  }

  #giveWay(fork: Words): void {
    const own = missing(this.words, fork);
    const differs = fork.findIndex((word, i) => word !== this.words[i]);
    const parted = differs < 0 ? fork.length : differs;
    if (own.length === 0 || !this.#options.canMerge) {
      this.asides = missing([...this.asides, ...own], fork);
      if (own.length > 0) this.outbox.push({ type: "aside", words: own });
      this.#shown = fork.length;
      return this.#become(fork, parted, false);
    }
    this.merges++;
    const wasShown = parted < this.#shown;
    this.#become([...fork, `merge(${own.join("+")})`], parted, false);
    this.#shown = wasShown ? this.words.length : fork.length;
  }

  /** A branch that lost over there is merged; whoever cannot waits until somebody else has. */
  #takeIn(words: Words): void {
    const own = missing(words, this.words);
    if (own.length === 0 || !this.#options.canMerge) return;
    this.merges++;
    const from = this.words.length;
    this.#become([...this.words, `merge(${own.join("+")})`], from, false);
    this.#shown = this.words.length;
  }

  #losesTo(head: ModelHead): boolean {
    return compareHeads(head, { ...head, ...positionOf(this.words) }) < 0;
  }

  /** Whether the other side has anything that is not here. */
  #canYield(): boolean {
    const { offered, peer } = this.state;
    return offered && missing((peer as ModelHead).words, this.words).length > 0;
  }

  #become(words: Words, from: number, fromPeer: boolean): void {
    this.words = this.#staged = words;
    this.asides = missing(this.asides, words);
    this.#input({ type: "advanced", ...this.#own(), from, fromPeer });
  }

  #inspect(head: ModelHead | undefined, shared: number | undefined): void {
    const prefix = this.#begins(head) ? head?.blocks ?? 0 : undefined;
    this.#input({ type: "head", head, shared, prefix, shown: this.#shown });
  }

  #refuse(code: Code): void {
    if (this.#options.isOpener) this.violation = code;
    else this.outbox.push({ type: "reject", code, head: this.#head() });
  }

  #begins(position: Position | undefined): boolean {
    if (position === undefined || position.blocks === 0) return true;
    return rootOf(this.#staged, position.blocks) === text(position.root);
  }

  #own(): { own: Position; ownHead: number } {
    return { own: positionOf(this.#staged), ownHead: this.words.length };
  }

  #head(): ModelHead | undefined {
    const { words } = this;
    if (words.length === 0) return undefined;
    return { ...positionOf(words), words, key: "" } as unknown as ModelHead;
  }
}

/** The words that were written once, whoever merged them since. */
export function atoms(words: Words): string[] {
  return words.flatMap((word) => word.match(/[a-z]\d+/g) ?? []);
}

/** What of `words` is not in `log`, merged or not. */
function missing(words: Words, log: Words): string[] {
  const known = new Set(atoms(log));
  return [...new Set(atoms(words))].filter((word) => !known.has(word));
}

function positionOf(words: Words): Position {
  return { epoch: 0, blocks: words.length, root: hash(words, words.length) };
}

/** Empty where the list is shorter: equal to no root. */
function rootOf(words: Words, length: number): string {
  return length > words.length ? "" : text(hash(words, length));
}

function hash(words: Words, length: number): Uint8Array {
  return testCrypto.sha256(new TextEncoder().encode(JSON.stringify(words.slice(0, length))));
}

function text(bytes: Uint8Array): string {
  return bytes.toHex();
}
