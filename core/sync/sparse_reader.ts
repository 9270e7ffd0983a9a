/** One log that is read block by block over a session, and followed as its head moves on. */

import type { Reading } from "../codec/reading.ts";
import { type Code, StreamoError } from "../errors.ts";
import type { Key } from "../identity/key.ts";
import { sameHead, type SignedHead, verifyHead } from "../log/head.ts";
import type { BlockSource, LogTree, Newest, ProvenBlocks } from "../log/source.ts";
import type { Registry } from "../repo/registry.ts";
import type { Repo } from "../repo/repo.ts";
import type { Ask } from "./ask.ts";
import { Lookouts } from "./lookouts.ts";
import type { Parts } from "./parts.ts";
import { decodeNewest, decodeProven } from "./proof_body.ts";
import type { RepoStatus } from "./session_status.ts";

const NO_FAULTS: ReadonlySet<Code> = new Set<Code>(["unreachable", "closed", "not_found"]);

/** Whom it tells. */
export interface SparseReaderOptions {
  /** What the peer gave was not good. */
  readonly onRefused: (error: StreamoError) => void;
  /** The status changed. */
  readonly onStatus: () => void;
}

/** The peer as a source of blocks. What is asked for while it is away waits until it is back. */
export class SparseReader implements BlockSource {
  readonly name: string;
  readonly #key: Key;
  readonly #options: SparseReaderOptions;
  #opening: Promise<Repo> | undefined;
  #repo: Repo | undefined;
  #parts: Parts | undefined;
  /** Settles when there is a connection, or will be none. */
  #online = Promise.withResolvers<Parts>();
  /** The peer's newest head, signed by the key. */
  #peer: SignedHead | undefined;
  /** Whether the peer has said what it has. */
  #isTold = false;
  #refusal: StreamoError | undefined;
  readonly #lookouts = new Lookouts();
  #isRefreshing = false;
  #isStale = false;
  #closed: StreamoError | undefined;

  /** Reads `key` from the peer called `name`. */
  constructor(key: Key, name: string, options: SparseReaderOptions) {
    this.#key = key;
    this.name = name;
    this.#options = options;
    this.#await();
  }

  /** The repo, once it is open. */
  get repo(): Repo | undefined {
    return this.#repo;
  }

  /** Opens the repo over what `registry` holds, once. */
  open(registry: Registry): Promise<Repo> {
    this.#opening ??= registry.read(this.#key, this, (error) => this.#refuse(error))
      .then((repo) => {
        this.#repo = repo;
        this.#tell();
        return repo;
      });
    return this.#opening;
  }

  /** Where it is. */
  get status(): RepoStatus {
    const phase = this.#parts === undefined
      ? "away"
      : this.isLive
      ? "live"
      : this.#refusal === undefined
      ? "opening"
      : "refused";
    return {
      key: this.#key,
      phase,
      blocks: this.#repo?.head?.blocks ?? 0,
      peerBlocks: this.#peer?.blocks ?? 0,
      acked: 0,
      refusal: this.#refusal,
    };
  }

  /** Whether the repo has the peer's newest head. */
  get isLive(): boolean {
    const head = this.#repo?.head;
    if (!this.#isTold || this.#repo === undefined) return false;
    if (this.#peer === undefined || sameHead(head, this.#peer)) return true;
    if (head === undefined) return false;
    const { epoch, blocks } = this.#peer;
    return head.epoch > epoch || head.epoch === epoch && head.blocks > blocks;
  }

  /** Resolves when the repo has the peer's newest head; rejects with the code of what is wrong with it. */
  synced(): Promise<void> {
    return this.#lookouts.wait(
      this.#key,
      () => this.#closed ?? (this.isLive || (this.#refusal ?? false)),
    );
  }

  /** There is a connection. */
  online(parts: Parts): void {
    this.#parts = parts;
    this.#isTold = false;
    this.#refusal = undefined;
    parts.watch(this.#key, {
      onNewest: (head) => this.#hear(head).catch((error) => this.#refuse(error)),
      onFailed: (error) => {
        this.#refuse(error);
        this.#online.reject(error);
        this.#await();
      },
    });
    this.#online.resolve(parts);
  }

  /** There is none: what is asked for from now on waits. */
  away(): void {
    if (this.#parts === undefined) return;
    this.#parts = undefined;
    this.#await();
    this.#tell();
  }

  /** Ends it: what waits is rejected with `error`, and whatever is asked for later. */
  close(error: StreamoError): void {
    this.#closed = error;
    this.#parts?.unwatch(this.#key);
    this.#parts = undefined;
    this.#online.reject(error);
    this.#tell();
  }

  async newest(key: Key, held: LogTree | undefined): Promise<Newest | undefined> {
    // A head that is held is good enough while the peer is away: its news will come.
    if (held !== undefined && this.#parts === undefined) {
      throw new StreamoError("unreachable", `${this.name} is away`);
    }
    const body = await this.#ask(key, { log: held && positionOf(held) });
    return body && decodeNewest(body);
  }

  async blocks(log: LogTree, first: number, end: number): Promise<ProvenBlocks | undefined> {
    const body = await this.#ask(log.key, { log: positionOf(log), first, end });
    return body && decodeProven(body);
  }

  async blockAt(
    log: LogTree,
    address: number,
    reading?: Reading,
  ): Promise<ProvenBlocks | undefined> {
    const body = await this.#ask(log.key, { log: positionOf(log), at: address, reading });
    return body && decodeProven(body);
  }

  /** Undefined if the peer does not have it. Asked again on the next connection if this one ends. */
  async #ask(key: Key, ask: Ask): Promise<Uint8Array | undefined> {
    for (;;) {
      if (this.#closed !== undefined) throw this.#closed;
      const parts = this.#parts ?? await this.#online.promise;
      try {
        return await parts.load(key, ask);
      } catch (error) {
        if (!(error instanceof StreamoError)) throw error;
        if (error.code === "not_found") return undefined;
        if (error.code !== "unreachable") throw error;
        if (this.#parts === parts) this.away();
      }
    }
  }

  #await(): void {
    this.#online = Promise.withResolvers();
    // Mostly nobody waits when it is rejected.
    this.#online.promise.catch(() => {});
  }

  /** The peer has told its head: the repo goes on to it. */
  async #hear(head: SignedHead | undefined): Promise<void> {
    const repo = await this.#opened();
    if (repo === undefined) return;
    this.#peer = head && await verifyHead(head, this.#key, repo.log.crypto);
    this.#isTold = true;
    this.#isStale = true;
    if (!this.#isRefreshing) await this.#refresh(repo);
  }

  async #refresh(repo: Repo): Promise<void> {
    this.#isRefreshing = true;
    try {
      while (this.#isStale && this.#parts !== undefined) {
        this.#isStale = false;
        if (!this.isLive) await repo.refresh();
        if (this.isLive) this.#refusal = undefined;
      }
    } finally {
      this.#isRefreshing = false;
      this.#tell();
    }
  }

  #tell(): void {
    this.#lookouts.lookAll();
    this.#options.onStatus();
  }

  /** Undefined if it does not open: whoever opens it is told. */
  async #opened(): Promise<Repo | undefined> {
    await this.#opening?.catch(() => {});
    return this.#repo;
  }

  #refuse(error: StreamoError): void {
    // A connection that broke comes back, and a log that is not there may come: nobody is at fault.
    if (NO_FAULTS.has(error.code)) return;
    this.#refusal = error;
    this.#options.onRefused(error);
    this.#tell();
  }
}

function positionOf({ epoch, blocks, root }: LogTree) {
  return { epoch, blocks, root };
}
