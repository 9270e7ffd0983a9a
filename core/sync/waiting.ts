/** What came from peers and waits to be worked on: so many bytes of one connection, and of a process. */

import { StreamoError } from "../errors.ts";
import type { Registry } from "../repo/registry.ts";

/** Bytes of one connection that wait: a peer has 16 MiB on its way, of frames that may be small. */
const CONNECTION_WAITING_BYTES = 64 * 2 ** 20;
/** Bytes of all connections of one process. */
const PROCESS_WAITING_BYTES = 512 * 2 ** 20;
/** Counted for whatever waits, besides its own length. */
const ITEM_BYTES = 512;

/** One connection's. */
export class Waiting {
  readonly #all: { bytes: number };
  #bytes = 0;

  /** Nothing waits; `all` counts for the process. */
  constructor(all: { bytes: number }) {
    this.#all = all;
  }

  /** Counts a message or frame of `bytes` bytes; `too_large` where there is no room for it. */
  take(bytes: number): void {
    this.#add(bytes + ITEM_BYTES);
    if (this.#bytes > CONNECTION_WAITING_BYTES) {
      throw new StreamoError("too_large", `${this.#bytes} bytes of one connection wait`);
    }
    if (this.#all.bytes > PROCESS_WAITING_BYTES) {
      throw new StreamoError("too_large", `${this.#all.bytes} bytes of all connections wait`);
    }
  }

  /** So many of them were worked on, or are forgotten. */
  give(bytes: number, count: number): void {
    this.#add(-bytes - count * ITEM_BYTES);
  }

  #add(bytes: number): void {
    this.#bytes += bytes;
    this.#all.bytes += bytes;
  }
}

const known = new WeakMap<Registry, { bytes: number }>();

/** That of a new connection to `registry`. */
export function waitingFor(registry: Registry): Waiting {
  let all = known.get(registry);
  if (all === undefined) known.set(registry, all = { bytes: 0 });
  return new Waiting(all);
}
