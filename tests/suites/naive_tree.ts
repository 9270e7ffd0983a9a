/** The Merkle tree of RFC 9162 as slow and obvious as can be: what proofs are checked against. */

import { nodeHash } from "../../core/log/merkle.ts";
import { testCrypto } from "./test_log.ts";

/** Section 2.1.1, word for word. */
export function naiveRoot(hashes: readonly Uint8Array[]): Uint8Array {
  if (hashes.length === 0) return testCrypto.sha256();
  if (hashes.length === 1) return hashes[0];
  let k = 1;
  while (k * 2 < hashes.length) k *= 2;
  return nodeHash(testCrypto, naiveRoot(hashes.slice(0, k)), naiveRoot(hashes.slice(k)));
}
