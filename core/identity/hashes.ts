/** SHA-256 in JavaScript, shared by the providers: synchronous, and the same everywhere. */

// Not noble's: every page loads this one, and the other brings three times as much with it.
import { DIGEST_LENGTH, SHA256 } from "@stablelib/sha256";

const HASH = new SHA256();

/** SHA-256 of the bytes of `parts`, one after the other. */
export function sha256(...parts: Uint8Array[]): Uint8Array {
  HASH.reset();
  for (const part of parts) HASH.update(part);
  const digest = new Uint8Array(DIGEST_LENGTH);
  HASH.finish(digest);
  return digest;
}
