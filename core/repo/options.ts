/** What can be chosen where a repo is opened, and where it is written. */

import type { Crypto } from "../identity/crypto.ts";
import type { BlockSource } from "../log/source.ts";
import type { OnRefused } from "../log/sources.ts";
import type { Value } from "../codec/value.ts";
import type { Clock, Timer } from "../platform.ts";
import type { OnConflict } from "./conflict.ts";

/** What a repo is opened with; everything has a default. */
export interface RepoOptions {
  /** The platform's own by default. */
  readonly crypto?: Crypto;
  /** Milliseconds since 1970; the platform's by default. */
  readonly clock?: Clock;
  /** Ends waiting for a peer that has stopped sending; the platform's by default. */
  readonly timer?: Timer;
  /**
   * Bytes kept in memory; 64 MiB by default. A quarter are blocks, a quarter parsed nodes, half decoded
   * values; the last two are estimated. Values that weigh more than all of that half are decoded anew
   * by every read.
   */
  readonly cacheBytes?: number;
  /** Decides where two devices changed one place; the later change wins by default. */
  readonly onConflict?: OnConflict;
  /**
   * Where blocks come from that the store does not hold: several are asked in order. The repo is open
   * to read only, and its newest head is whichever is newer, the store's or the source's.
   */
  readonly source?: BlockSource | readonly BlockSource[];
  /** Hears of every answer of a source that was not good, also if another source had a good one. */
  readonly onRefused?: OnRefused;
}

/** What a record may say besides its change. */
export interface WriteOptions {
  /** What the author says about it. */
  readonly message?: string;
  /** Where it came from: mostly links; read back as `LogRecord.cites`. */
  readonly cites?: Value;
}
