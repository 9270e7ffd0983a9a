/** Repos whose blocks are elsewhere. */

import { StreamoError } from "../errors.ts";
import type { Crypto } from "../identity/crypto.ts";
import { Sources } from "../log/sources.ts";
import { SparseStore } from "../log/sparse_store.ts";
import type { Store } from "../log/store.ts";
import type { RepoOptions } from "./options.ts";

/** `store`, or over it what `source` of the options gives; `unsupported` with a signer. */
export function withSource(
  store: Store,
  { source, onRefused }: RepoOptions,
  crypto: Crypto,
  isWritable: boolean,
): Store {
  if (source === undefined) return store;
  if (isWritable) {
    throw new StreamoError("unsupported", "a repo that is read from a source cannot be written");
  }
  const sources = Array.isArray(source) ? source : [source];
  return new SparseStore(store, new Sources(sources, crypto, onRefused), crypto);
}
