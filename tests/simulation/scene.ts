/** What all parts of a run share. */

import { StreamoError } from "../../core/errors.ts";
import type { Crypto, SigningKey } from "../../core/identity/crypto.ts";
import { defaultCrypto } from "../../core/identity/default_crypto.ts";
import type { Key } from "../../core/identity/key.ts";
import { Signer } from "../../core/identity/signer.ts";
import { Chance } from "./chance.ts";
import type { Disk } from "./disk.ts";
import { Inspector } from "./inspector.ts";
import type { Network } from "./network.ts";
import { Timeline } from "./timeline.ts";
import { Trace } from "./trace.ts";
import { Truth } from "./truth.ts";

/** When virtual time begins, for clocks. */
const EPOCH_MS = Date.UTC(2030, 0, 1);

/** Somebody with a key, on any number of devices. */
export interface Author {
  readonly name: string;
  readonly key: Key;
  readonly signingKey: SigningKey;
  readonly truth: Truth;
}

/** See the head of this file. */
export class Scene {
  readonly seed: number;
  readonly timeline: Timeline;
  readonly trace: Trace;
  readonly inspector: Inspector;
  readonly crypto: Crypto = defaultCrypto();
  readonly authors: Author[] = [];
  /** What was wrong, in the order in which it showed. */
  readonly faults: string[] = [];
  /** The disks of relays, by name. */
  readonly disks = new Map<string, Disk>();
  network!: Network;

  constructor(seed: number, isShown: boolean) {
    this.seed = seed;
    this.timeline = new Timeline((error) => this.uncaught("an event", error));
    this.trace = new Trace(() => this.timeline.now, isShown);
    this.inspector = new Inspector(this.crypto, (what) => this.fault("disk", what));
  }

  /** Makes an author of this name; always the same key. */
  async addAuthor(name: string): Promise<void> {
    const seed = new Uint8Array(32);
    new TextEncoder().encodeInto(`simulation ${name}`, seed);
    const signingKey = await this.crypto.signingKey(seed);
    const { key } = new Signer(name, signingKey);
    this.authors.push({ name, key, signingKey, truth: new Truth(name) });
  }

  /** A stream of random choices for one part of the run. */
  chance(name: string): Chance {
    return new Chance(this.seed, name);
  }

  /** Milliseconds since 1970 on a clock that is right. */
  get clockMs(): number {
    return EPOCH_MS + Math.floor(this.timeline.now);
  }

  /** Something must not be so. */
  fault(who: string, what: string): void {
    this.trace.note(who, `FAULT ${what}`);
    this.faults.push(`${who}: ${what}`);
  }

  /** Something was thrown that nobody caught. */
  uncaught(who: string, error: unknown): void {
    this.fault(who, `uncaught: ${describe(error)}`);
  }

  /** An error that a caller may get: it must have a code. */
  expected(who: string, what: string, error: unknown): void {
    if (error instanceof StreamoError) this.trace.note(who, `${what}: ${error.code}`);
    else this.fault(who, `${what} fails without a code: ${describe(error)}`);
  }
}

function describe(error: unknown): string {
  return error instanceof Error ? error.stack ?? String(error) : String(error);
}
