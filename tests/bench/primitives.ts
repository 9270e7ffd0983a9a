/** What the rows cannot be faster than, each measured once a run. */

import { join } from "node:path";
import { defaultCrypto } from "../../core/identity/default_crypto.ts";
import { type Bench, type Limit, randomBytes } from "./bench.ts";

const MEGA = 1e6;

/** The primitives, measured when they are first asked for. */
export class Primitives {
  readonly #bench: Bench;
  readonly #known = new Map<string, Promise<Limit>>();

  /** Measures with `bench`. */
  constructor(bench: Bench) {
    this.#bench = bench;
  }

  /** SHA-256 over 64 KB pieces, in MB/s. */
  sha256(): Promise<Limit> {
    const bytes = randomBytes(65_536, 1);
    const count = this.#bench.size(1000, 4);
    return this.#measure("SHA-256, 64 KB", "MB/s", count * bytes.length / MEGA, () => {
      for (let i = 0; i < count; i++) defaultCrypto().sha256(bytes);
    });
  }

  /** SHA-256 of what the leaf of a small block takes: how many blocks can be hashed in a second. */
  smallHashes(): Promise<Limit> {
    const bytes = randomBytes(300, 1);
    const node = randomBytes(65, 1);
    const count = this.#bench.size(20_000, 10);
    return this.#measure("SHA-256 of a leaf and a node", "/s", count, () => {
      for (let i = 0; i < count; i++) {
        defaultCrypto().sha256(bytes);
        defaultCrypto().sha256(node);
      }
    });
  }

  /** Ed25519 signatures a second. */
  async signs(): Promise<Limit> {
    const { sign } = await defaultCrypto().signingKey(new Uint8Array(32));
    const message = randomBytes(109, 1);
    const count = this.#bench.size(5000, 2);
    return await this.#measure("Ed25519 sign", "/s", count, async () => {
      for (let i = 0; i < count; i++) await sign(message);
    });
  }

  /** Ed25519 verifications a second. */
  async verifies(): Promise<Limit> {
    const { sign, publicKey } = await defaultCrypto().signingKey(new Uint8Array(32));
    const message = randomBytes(109, 1);
    const signature = await sign(message);
    const count = this.#bench.size(5000, 2);
    return await this.#measure("Ed25519 verify", "/s", count, async () => {
      for (let i = 0; i < count; i++) await defaultCrypto().verify(publicKey, message, signature);
    });
  }

  /** Writing a file in pieces of 4 MiB, in MB/s; with `sync` each piece is made durable. */
  async fileWrites(sync: boolean): Promise<Limit> {
    const pieces = this.#bench.size(32, 1);
    const piece = randomBytes(4 * 2 ** 20, 1);
    const directory = await Deno.makeTempDir();
    const name = sync ? "file write + fsync a 4 MiB" : "file write";
    try {
      return await this.#measure(name, "MB/s", pieces * piece.length / MEGA, async () => {
        using file = await Deno.open(join(directory, "file"), { write: true, create: true });
        for (let i = 0; i < pieces; i++) {
          for (let at = 0; at < piece.length;) at += await file.write(piece.subarray(at));
          if (sync) await file.syncData();
        }
      });
    } finally {
      await Deno.remove(directory, { recursive: true });
    }
  }

  #measure(name: string, unit: string, count: number, work: () => unknown): Promise<Limit> {
    let limit = this.#known.get(name);
    if (limit === undefined) {
      const rate = this.#bench.rate(count, 3, work);
      limit = rate.then((value) => ({ name, value, unit }));
      this.#known.set(name, limit);
    }
    return limit;
  }
}
