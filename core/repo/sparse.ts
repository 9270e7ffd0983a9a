/** Repos whose blocks are elsewhere. */

import { StreamoError } from "../errors.ts";
import type { Crypto } from "../identity/crypto.ts";
import type { Key } from "../identity/key.ts";
import type { Signer } from "../identity/signer.ts";
import { Sources } from "../log/sources.ts";
import { SparseStore } from "../log/sparse_store.ts";
import type { Store } from "../log/store.ts";
import type { RepoOptions } from "./options.ts";

/** What `source` of the options gives, over `store`; `unsupported` with a signer. */
export function withSource(
  store: Store,
  { source, onRefused }: RepoOptions,
  crypto: Crypto,
  who: Signer | Key,
): Store {
  if (typeof who !== "string") {
    throw new StreamoError("unsupported", "a repo that is read from a source cannot be written");
  }
  const sources = new Sources([source ?? []].flat(), crypto, onRefused);
  return new SparseStore(store, sources, crypto);
}
