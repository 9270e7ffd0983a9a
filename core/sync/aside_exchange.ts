/**
 * Branches that lost, between two peers: who keeps some offers them, who has the signer merges them,
 * and everybody else keeps them too, so that a writer finds them wherever it comes.
 */

import { equal } from "../bytes.ts";
import { StreamoError } from "../errors.ts";
import { asideName } from "../log/aside.ts";
import { memoryOf } from "../log/block.ts";
import { sameHead, type SignedHead, verifyHead } from "../log/head.ts";
import type { Log } from "../log/log.ts";
import type { Run } from "../log/run.ts";
import { ASIDES_BYTES, ASIDES_MAX } from "../repo/asides.ts";
import type { Repo } from "../repo/repo.ts";
import { AsideFrames } from "./aside_frames.ts";
import type { ChannelState } from "./channel_state.ts";
import type { OfferedBranch } from "./log_messages.ts";
import type { Message } from "./messages.ts";

/** Bytes of a whole log of an earlier epoch that is fetched for a branch of it. */
const WHOLE_BYTES = 8 * ASIDES_BYTES;
/** How often one branch is asked for: this side's log may change while it comes. */
const TRIES_MAX = 3;

/** One channel's part in it. */
export class AsideExchange {
  readonly #repo: Repo;
  readonly #number: number;
  readonly #send: (data: Message | Uint8Array) => void;
  /** What the peer offers and was not looked at yet. */
  #offered: OfferedBranch[] = [];
  readonly #tries = new Map<string, number>();
  #coming: { readonly head: SignedHead; readonly log: Log } | undefined;
  #serving: { readonly root: Uint8Array; readonly frames: AsideFrames } | undefined;

  /** `number` is that of this side's frames. */
  constructor(repo: Repo, number: number, send: (data: Message | Uint8Array) => void) {
    this.#repo = repo;
    this.#number = number;
    this.#send = send;
  }

  /** Offers what is kept here, if anything is. */
  offer(): void {
    if (this.#repo.trunk.asides.length > 0) this.#list();
  }

  /** The peer keeps these, and no others. */
  onOffer(branches: readonly OfferedBranch[]): void {
    this.#offered = branches.slice(0, ASIDES_MAX);
    const coming = this.#coming?.head;
    if (!branches.some(({ head }) => sameHead(head, coming))) this.#coming = undefined;
  }

  /** Asks for the next branch that is of use, when the logs have been compared. */
  async next({ phase, sent }: ChannelState): Promise<void> {
    while (this.#coming === undefined && phase === "live" && sent !== undefined) {
      const offered = this.#offered.shift();
      if (offered === undefined) return;
      const { head } = offered;
      const name = asideName(head);
      const tries = (this.#tries.get(name) ?? 0) + 1;
      if (
        tries > TRIES_MAX || this.#repo.trunk.asides.some((aside) => sameHead(aside.head, head))
      ) {
        continue;
      }
      this.#tries.set(name, tries);
      const log = await this.#begin(offered, sent);
      if (log === undefined) continue;
      this.#coming = { head, log };
      this.#want(log.heldLength, head.root);
    }
  }

  /** Takes a run, if it is of the branch that was asked for. */
  async onRun(run: Run): Promise<boolean> {
    const coming = this.#coming;
    if (coming === undefined || !sameHead(coming.head, run.head)) return false;
    const { log } = coming;
    this.#coming = undefined;
    let isWhole: boolean;
    try {
      isWhole = await log.hold(run);
    } catch (error) {
      // The peer parts it from a log that is not this one: nothing to be had of it now.
      if (error instanceof StreamoError && error.code === "bad_block") return true;
      throw error;
    }
    if (isWhole) await this.#take(log);
    else {
      this.#coming = coming;
      this.#want(log.heldLength, run.head.root);
    }
    return true;
  }

  /** Sends one frame of a branch that is kept here. */
  async onWant(from: number, root: Uint8Array): Promise<void> {
    const aside = this.#repo.trunk.asides.find(({ head }) => equal(head.root, root));
    // It was merged meanwhile.
    if (aside === undefined || from >= aside.head.blocks) return this.#list();
    if (this.#serving === undefined || !equal(this.#serving.root, root)) {
      const { trunk, log: own } = this.#repo;
      const log = await (await trunk.keptAside()).branchOf(aside, own);
      const first = Math.min(from, log.length);
      this.#serving = { root, frames: await AsideFrames.open(log, first) };
    }
    this.#send(await this.#serving.frames.frame(this.#number, from));
  }

  #list(): void {
    const { key, trunk } = this.#repo;
    const branches = trunk.asides.map(({ head, from }) => ({ head, from }));
    this.#send({ type: "aside", key, branches });
  }

  async #begin({ head, from }: OfferedBranch, sent: number): Promise<Log | undefined> {
    const { log, key, signer } = this.#repo;
    await verifyHead(head, key, log.crypto);
    const isOld = head.epoch < log.epoch;
    // Both must have what is before it.
    if (!isOld && (head.epoch > log.epoch || from > sent || from >= head.blocks)) return undefined;
    const first = isOld ? 0 : from;
    const branch = isOld ? log.raise(head.epoch) : await log.branch(first);
    const settling = await this.#repo.trunk.settling();
    if (await settling.knows(head, branch.sealedBytes)) return undefined;
    const bytes = memoryOf(head.blocks - branch.length, head.bytes - branch.sealedBytes);
    // Of an earlier epoch a signer needs all, not only what somebody keeps of it.
    const most = isOld && signer !== undefined ? WHOLE_BYTES : ASIDES_BYTES;
    return bytes <= most ? branch : undefined;
  }

  async #take(log: Log): Promise<void> {
    const { trunk, signer } = this.#repo;
    try {
      await trunk.settle((settling) =>
        signer === undefined ? settling.keepAside(log) : settling.takeIn(log)
      );
    } catch (error) {
      if (!(error instanceof StreamoError)) throw error;
      // This side's log was replaced meanwhile: the branch parts from it elsewhere.
      if (error.code === "conflict") this.#offered.push({ head: log.newest!, from: log.length });
      // No room for more: the peer keeps it.
      else if (error.code !== "too_large") throw error;
    }
  }

  #want(from: number, aside: Uint8Array): void {
    this.#send({ type: "want", key: this.#repo.key, from, aside });
  }
}
