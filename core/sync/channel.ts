/** One log over one connection: does what the machine says. */

import { type Code, StreamoError } from "../errors.ts";
import { type SignedHead, verifyHead } from "../log/head.ts";
import type { Advance } from "../log/advance.ts";
import { type Position, type Run, samePosition } from "../log/run.ts";
import type { Repo } from "../repo/repo.ts";
import { Serial } from "../serial.ts";
import { AsideExchange } from "./aside_exchange.ts";
import type { ChannelOptions } from "./channel_options.ts";
import { type ChannelState, type Effect, type Input, isSent } from "./channel_state.ts";
import { HeldFork } from "./held_fork.ts";
import { begins, canYield, compareRoots, peerHasMore, prefixOf, rooted } from "./common_prefix.ts";
import type { Frame } from "./frame.ts";
import { Inbox } from "./inbox.ts";
import { partsOf } from "./joined_runs.ts";
import { newChannel, step } from "./machine.ts";
import type { LogMessage } from "./log_messages.ts";
import type { Message } from "./messages.ts";
import { type NextFrame, nextFrame, passOn } from "./next_frame.ts";
import { coded, toldOf } from "./told.ts";
import { SendWindow } from "./send_window.ts";

/** A side that only reads acknowledges after this many bytes. */
const READER_ACK_BYTES = 256 * 1024;

/** Drives one {@link ChannelState}. Inputs are worked on one after the other. */
export class Channel {
  readonly repo: Repo;
  readonly number: number;
  readonly #options: ChannelOptions;
  readonly #serial = new Serial();
  readonly #stop: () => void;
  readonly #window: SendWindow;
  readonly #inbox: Inbox;
  #ackBytes = 0;
  #latest: Advance | undefined;
  readonly #fork: HeldFork;
  readonly #asides: AsideExchange;
  /** This side goes by what it has of a later epoch, from before. */
  #resumes = false;
  /** How often the log moved on, and up to which of these times the state knows about it. */
  #advances = 0;
  #settled = 0;
  /** How much work there had been when {@link rests} was asked. */
  #rested = -1;
  #hasRefused = false;
  #state: ChannelState;
  #closed = false;

  /** A channel for a repo; the opener's begins with {@link start}. */
  constructor(options: ChannelOptions) {
    this.#options = options;
    this.repo = options.repo;
    this.number = options.number;
    this.#window = new SendWindow(options.onSent);
    this.#inbox = new Inbox((work) => this.#run(work), options.waiting);
    const canMerge = options.repo.signer !== undefined;
    this.#fork = new HeldFork(options.budgets, canMerge);
    const { own, ownHead } = this.#own();
    this.#state = newChannel(options.isOpener, canMerge, own, ownHead);
    this.#asides = new AsideExchange(this.repo, this.number, (data) => this.#send(data));
    const stops = [
      this.repo.on("advance", (event) => this.#onAdvance(event)),
      this.repo.on("asides", () => this.#asides.offer()),
    ];
    this.#stop = () => stops.forEach((stop) => stop());
  }

  /** Whether this side asked for the log. */
  get isOpener(): boolean {
    return this.#options.isOpener;
  }

  /** Where the channel is; replaced at every step. */
  get state(): ChannelState {
    return this.#state;
  }

  /** Opens the channel from this side; without a word if this log still is the one that the peer has. */
  start(peer?: Position): Promise<void> {
    return this.#run(async () => {
      this.#resumes = this.repo.log.staged !== undefined;
      const { own, ownHead } = this.#own();
      await this.#input({ type: "looked", own, ownHead });
      if (!samePosition(own, peer)) {
        await this.#input({ type: "start" });
        return this.#asides.offer();
      }
      const { head, trunk: { shown } } = this.repo;
      await this.#input({ type: "head", head, shared: own.blocks, prefix: undefined, shown });
    });
  }

  /** Goes on for a peer without a channel, which has the first `shared` blocks, if that is known. */
  wake(shared: number | undefined, latest: Advance | undefined): void {
    this.#latest = latest;
    const have = shared === undefined ? undefined : { ...this.#own().own, blocks: shared };
    this.#run(() => this.#input({ type: "open", have, shares: have !== undefined }));
  }

  /** Whether nothing has happened since this was asked last, and the peer was sent all that is here. */
  rests(): boolean {
    const work = this.#serial.runs + this.#advances;
    const isQuiet = this.#serial.isIdle && work === this.#rested;
    this.#rested = work;
    return isQuiet && !this.#hasRefused && isSent(this.#state);
  }

  /** Takes a message for this key; `bytes` is what it keeps in memory until then. */
  onMessage(message: LogMessage, bytes: number): void {
    this.#inbox.message(bytes, () => this.#take(message));
  }

  /** Takes a run of blocks. */
  onFrame(frame: Frame): void {
    this.#inbox.frame(frame, async (run) => {
      if (!await this.#asides.onRun(run)) await this.#input({ type: "run", run });
    });
  }

  /** Goes on sending. */
  resume(): void {
    this.#run(() => this.#pump());
  }

  /** Ends the channel; the work under way may still begin an epoch, which nobody goes on with. */
  close(): void {
    this.#closed = true;
    this.#stop();
    this.#fork.end();
    this.#inbox.end();
    this.#window.clear();
    this.#serial.run(() => Promise.resolve(this.repo.trunk.release(this)));
  }

  #run(work: () => Promise<void>): Promise<void> {
    return this.#serial.run(async () => {
      if (this.#closed) return;
      try {
        await work();
        if (!this.#closed) await this.#asides.next(this.#state);
      } catch (error) {
        this.#fail(error);
      }
    });
  }

  /** A mistake of the peer is told to it; anything else ends the conversation. */
  #fail(error: unknown): void {
    const known = coded(error);
    this.#refuse(known.code, toldOf(known));
    // What this side asked for is not to be had from this peer: it lies, or the store fails here.
    if (this.#options.isOpener) this.#options.onViolation(known);
  }

  async #input(input: Input): Promise<void> {
    const before = this.#state.sent ?? 0;
    const [state, effects] = step(this.#state, input);
    this.#state = state;
    if (state.sent === undefined || state.sent < before) this.#window.clear();
    else this.#window.release(state.acked);
    this.repo.trunk.show(state.acked, state.own.epoch);
    this.#options.onStatus(this);
    for (const effect of effects) if (!this.#closed) await this.#do(effect);
  }

  async #do(effect: Effect): Promise<void> {
    const { key } = this.repo;
    switch (effect.type) {
      case "open": {
        const { own } = this.#own();
        const have = own.blocks > 0 ? own : undefined;
        return this.#send({ type: "open", key, channel: this.number, have });
      }
      case "opened":
        return this.#sendOpened(effect.shared);
      case "send":
        return this.#send(effect.message);
      case "askRoots":
        return this.#send({ type: "roots", key, at: effect.at });
      case "pump":
        return await this.#pump();
      case "store":
        return await this.#store(effect.run);
      case "fetch":
        return await this.#fetch(effect.from, effect.isAsked);
      case "hold":
        return await this.#hold(effect.run);
      case "inspect":
        return await this.#inspect(effect.head);
      case "refuse":
        if (this.#options.isOpener) throw new StreamoError(effect.code, effect.message);
        return this.#refuse(effect.code, effect.message);
    }
  }

  async #take(message: LogMessage): Promise<void> {
    switch (message.type) {
      case "open": {
        const shares = await begins(this.repo.log, message.have);
        await this.#input({ type: "open", have: message.have, shares });
        return this.#asides.offer();
      }
      case "opened":
        return await this.#inspect(message.head, message.staged, message.shared);
      case "roots":
        return this.#send(await rooted(this.repo.log, message));
      case "rooted": {
        const [same, { at }] = [await compareRoots(this.repo, message), message];
        return same && this.#input({ type: "compared", at, same, shown: this.repo.trunk.shown });
      }
      case "want":
        if (message.aside) return await this.#asides.onWant(message.from, message.aside);
        if (this.#state.own.epoch > this.repo.log.epoch) await this.#goBack();
        return await this.#input({ type: "want", from: message.from });
      case "replace":
        return await this.#input({ type: "replace", from: message.from });
      case "aside":
        return this.#asides.onOffer(message.branches);
      case "ack":
        // Of a log whose place another has taken: it says nothing of this one.
        if (message.epoch !== this.#state.own.epoch) return;
        if (!message.held) return await this.#input({ type: "ack", blocks: message.blocks });
        this.#window.release(message.blocks);
        return await this.#pump();
      case "reject":
        return await this.#input({ ...message, canYield: await canYield(this.repo, this.#state) });
      case "close":
        return this.close();
    }
  }

  async #inspect(head: SignedHead | undefined, staged?: Position, shared?: number): Promise<void> {
    if (head !== undefined) await verifyHead(head, this.repo.key, this.repo.log.crypto);
    // The peer has another log of that epoch, or none.
    if (this.#resumes && shared !== this.#own().own.blocks) await this.#goBack();
    const prefix = await prefixOf(this.repo, head, staged);
    const lacks = head !== undefined && await peerHasMore(this.repo, head);
    await this.#input({ type: "head", head, shared, prefix, lacks, shown: this.repo.trunk.shown });
  }

  async #store(run: Run): Promise<void> {
    const { epoch } = this.repo.log;
    try {
      await this.repo.receive(run, this);
    } catch (error) {
      if (!(error instanceof StreamoError)) throw error;
      if (error.code === "bad_block") return await this.#misfit(run);
      // Another connection was faster, or the store has more than it said: no mistake of this peer.
      const isOvertaken = error.code === "stale" && this.#own().ownHead !== this.#state.ownHead;
      if (error.code !== "conflict" && !isOvertaken) throw error;
      if (!this.#options.isOpener) return this.#refuse(error.code, error.message);
      const now = this.#own();
      if (now.own.epoch === this.#state.own.epoch) await this.#input({ type: "looked", ...now });
      return await this.#inspect(run.head);
    }
    const isRaised = this.repo.log.epoch > epoch && this.repo.log.epoch === run.head.epoch;
    const peerBlocks = run.first + run.blocks.length;
    if (isRaised) await this.#replaced(run.head.blocks);
    else await this.#input({ type: "stored", ...this.#own(), peerBlocks });
    this.#acknowledge(run);
  }

  /** Whoever wants blocks does not bring a later epoch now: this side goes by its whole log again. */
  async #goBack(): Promise<void> {
    this.#resumes = false;
    this.repo.trunk.release(this);
    await this.#input({ type: "looked", ...this.#own() });
  }

  /** Not the next blocks; of joined runs each is tried, as if it had come alone. */
  async #misfit(run: Run): Promise<void> {
    const parts = partsOf(run);
    // Another connection has brought another log meanwhile: it is no lie that this run does not fit.
    if (this.isOpener && !samePosition(this.#own().own, this.#state.own)) {
      return await this.#inspect(run.head);
    }
    if (parts === undefined) return await this.#input({ type: "misfit", run });
    for (const part of parts) await this.#input({ type: "run", run: part });
  }

  async #fetch(from: number, isAsked: boolean): Promise<void> {
    const { peer } = this.#state;
    const { log } = this.repo;
    const isOld = isAsked && peer !== undefined && peer.epoch < log.epoch;
    const fork = isOld ? log.raise(peer.epoch) : await log.branch(from);
    const dropped = this.#fork.begin(fork, this.repo.head, isAsked ? peer : undefined);
    if (dropped !== undefined) return await this.#input(dropped);
    if (isAsked) this.#send({ type: "want", key: this.repo.key, from });
  }

  async #hold(run: Run): Promise<void> {
    if (!this.#fork.awaits(run)) {
      // Frames that were on their way before `want` are not what was asked for.
      if (this.#options.isOpener) return;
      const message = "blocks that do not go on where the branch ended";
      return await this.#input({ type: "dropped", code: "conflict", message });
    }
    try {
      const fork = await this.#fork.take(run);
      if (fork === undefined) return this.#acknowledge(run, true);
      if (fork.epoch < this.repo.log.epoch) {
        // It gives way once nothing of it is lost.
        await this.repo.trunk.takeIn(fork);
        this.#fork.end();
        return await this.#inspect(run.head);
      }
      await this.repo.trunk.replace(fork, this);
    } catch (error) {
      return await this.#input(this.#fork.dropped(error, this.repo.head));
    }
    this.#fork.end();
    await this.#replaced(run.head.blocks);
    this.#acknowledge(run);
  }

  /** Another log has taken this one's place, whose first `peerBlocks` the peer has. */
  async #replaced(peerBlocks: number): Promise<void> {
    this.#resumes = false;
    // How the log moved on meanwhile is in what is said now.
    this.#settled = this.#advances;
    await this.#input({ type: "replaced", ...this.#own(), peerBlocks });
  }

  /** The window is counted in what was taken; a side that stores for others says so at once. */
  #acknowledge({ head: { key, epoch }, first, blocks }: Run, held?: true): void {
    for (const { length } of blocks) this.#ackBytes += length;
    if (this.isOpener && !this.#state.peerOpens && this.#ackBytes < READER_ACK_BYTES) return;
    this.#ackBytes = 0;
    this.#send({ type: "ack", key, epoch, blocks: first + blocks.length, held });
  }

  async #pump(): Promise<void> {
    for (;;) {
      const { sent, ownHead, phase } = this.#state;
      const idle = phase !== "live" || sent === undefined || sent >= ownHead;
      if (idle || this.#window.isFull || this.#closed || !this.#hasRoom()) return;
      const next = await nextFrame(this.repo.log, this.number, sent, this.#latest);
      // Others may have used the room up while blocks were read.
      if (next === undefined || !this.#hasRoom()) return;
      this.#sendBlocks(next);
    }
  }

  #hasRoom(): boolean {
    return this.#options.hasRoom(this, this.#window.roomBytes);
  }

  #onAdvance(event: Advance): void {
    this.#latest = event;
    const { from, source } = event;
    const number = ++this.#advances;
    if (this.#serial.isIdle && this.#passOn(event)) return;
    this.#run(async () => {
      if (number <= this.#settled) return this.#options.onStatus(this);
      await this.#input({ type: "advanced", ...this.#own(), from, fromPeer: source === this });
    });
  }

  /** Most of what relays do is to pass on what just came: that needs no promises for each subscriber. */
  #passOn(event: Advance): boolean {
    if (this.#closed || event.source === this || this.#window.isFull) return false;
    const passed = passOn(this.#state, event, this.#own(), this.number);
    if (passed === undefined || !this.#hasRoom()) return false;
    this.#sendBlocks(passed, passed.state);
    this.#options.onStatus(this);
    return true;
  }

  #sendBlocks({ frame, end }: NextFrame, state = this.#state): void {
    this.#send(frame);
    this.#window.push(end, frame.length);
    [this.#state] = step(state, { type: "sent", to: end });
  }

  #own(): { own: Position; ownHead: number } {
    const { log } = this.repo;
    const isRaising = this.#resumes || this.repo.trunk.isRaisedBy(this);
    if (isRaising && log.staged !== undefined) return { own: log.staged, ownHead: 0 };
    return { own: log.position(), ownHead: log.head?.blocks ?? 0 };
  }

  #sendOpened(shared: number | undefined): void {
    const { own, ownHead } = this.#own();
    const { key, head, log } = this.repo;
    const staged = log.staged ?? (own.blocks > ownHead ? own : undefined);
    this.#send({ type: "opened", key, channel: this.number, head, staged, shared });
  }

  #refuse(code: Code, message: string): void {
    const { key, head } = this.repo;
    this.#hasRefused = true;
    this.#send({ type: "reject", key, code, message: message.slice(0, 500), head });
  }

  #send(data: Message | Uint8Array): void {
    if (!this.#closed) this.#options.send(data);
  }
}
