/** What can be chosen where a repo is opened, and where it is written. */

import type { Crypto } from "../identity/crypto.ts";
import type { Clock } from "../platform.ts";
import type { OnConflict } from "./conflict.ts";

/** What a repo is opened with; everything has a default. */
export interface RepoOptions {
  /** The platform's own by default. */
  readonly crypto?: Crypto;
  /** Milliseconds since 1970; the platform's by default. */
  readonly clock?: Clock;
  /** Bytes of blocks kept in memory. */
  readonly cacheBytes?: number;
  /** Decides where two devices changed one place; the later change wins by default. */
  readonly onConflict?: OnConflict;
}

/** What a record may say besides its change. */
export interface WriteOptions {
  /** What the author says about it. */
  readonly message?: string;
}
