/** The best provider of this platform: the one place of core that looks at the platform's globals. */

import { late } from "../late.ts";
import type { Crypto } from "./crypto.ts";
import { sha256 } from "./hashes.ts";
import type { NodeCryptoModule } from "./node.ts";
import { webCrypto } from "./webcrypto.ts";

/** The parts of `globalThis` that decide. */
export interface Platform {
  /** Node, Deno and Bun give their built-in modules here. */
  readonly process?: { getBuiltinModule?(name: string): unknown };
  /** Browsers give `subtle` in secure contexts only. */
  readonly crypto?: { readonly subtle?: SubtleCrypto };
}

let chosen: Crypto | undefined;

/** `node:crypto` where there is one, else `crypto.subtle` if it knows Ed25519, else pure JavaScript. */
export function defaultCrypto(): Crypto {
  chosen ??= chooseCrypto(globalThis as Platform);
  return chosen;
}

/** The provider for `platform`; {@link defaultCrypto} remembers the one for `globalThis`. */
export function chooseCrypto(platform: Platform): Crypto {
  const module = platform.process?.getBuiltinModule?.("node:crypto");
  if (module !== undefined) {
    return lateCrypto(
      "node",
      async () => (await import("./node.ts")).nodeCrypto(module as NodeCryptoModule),
    );
  }
  const subtle = platform.crypto?.subtle;
  if (subtle === undefined) return lateCrypto("noble", loadNoble);
  const web = webCrypto(subtle);
  return lateCrypto("webcrypto", async () => await knowsEd25519(web) ? web : await loadNoble());
}

/**
 * A provider whose signing part is found out at its first use: whether `subtle` knows Ed25519 shows only
 * asynchronously, and browsers that do know it never load the pure-JavaScript curve.
 */
function lateCrypto(expectedName: string, find: () => Promise<Crypto>): Crypto {
  let found: Crypto | undefined;
  const load = late(async () => found = await find());
  /** Does `work` with the found provider, on copies if it has to wait: callers reuse their bytes. */
  const use = <T>(
    parts: Uint8Array[],
    work: (crypto: Crypto, parts: Uint8Array[]) => T | Promise<T>,
  ): T | Promise<T> => {
    if (found !== undefined) return work(found, parts);
    const copies = parts.map((part) => new Uint8Array(part));
    return load().then((crypto) => work(crypto, copies));
  };
  return {
    get name() {
      return found?.name ?? expectedName;
    },
    // Pure JavaScript until a faster one is there: nobody waits for a hash.
    sha256: (...parts) => found === undefined ? sha256(...parts) : found.sha256(...parts),
    signingKey: async (seed) => await use([seed], (crypto, [copy]) => crypto.signingKey(copy)),
    verify: (...parts) => use(parts, (crypto, [key, text, sig]) => crypto.verify(key, text, sig)),
    pbkdf2: async (password, salt, rounds) =>
      await use([password, salt], (crypto, [p, s]) => crypto.pbkdf2(p, s, rounds)),
    hkdf: async (...parts) =>
      await use(parts, (crypto, [secret, salt, info]) => crypto.hkdf(secret, salt, info)),
  };
}

async function loadNoble(): Promise<Crypto> {
  return (await import("./noble.ts")).nobleCrypto();
}

/** Whether `crypto` signs, tells public keys and verifies: a missing Ed25519 shows as an exception. */
async function knowsEd25519(crypto: Crypto): Promise<boolean> {
  const message = new Uint8Array(1);
  try {
    const { publicKey, sign } = await crypto.signingKey(new Uint8Array(32));
    return await crypto.verify(publicKey, message, await sign(message));
  } catch {
    return false; // whatever the reason, the pure-JavaScript provider takes over
  }
}
