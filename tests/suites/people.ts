/** Signers for tests, without the cost of deriving them from a password. */

import { Signer } from "../../core/identity/signer.ts";

/** The signer of a person, always the same one. */
export function signerOf(name: string): Promise<Signer> {
  const seed = new Uint8Array(32);
  new TextEncoder().encodeInto(name, seed);
  return Signer.fromSeed(name, seed);
}
