/** Numbers for the frames of a key: one for all peers, so that a frame is encoded once. */

import type { Key } from "../identity/key.ts";
import type { Registry } from "../repo/registry.ts";

interface Numbers {
  readonly byKey: Map<Key, { readonly number: number; users: number }>;
  next: number;
}

const known = new WeakMap<Registry, Numbers>();

/** The number of a key for the peers of `registry`; to be followed by {@link releaseNumber}. */
export function takeNumber(registry: Registry, key: Key): number {
  let numbers = known.get(registry);
  if (numbers === undefined) known.set(registry, numbers = { byKey: new Map(), next: 0 });
  let entry = numbers.byKey.get(key);
  // Never one that was given before: frames of the old key may be on their way.
  if (entry === undefined) numbers.byKey.set(key, entry = { number: numbers.next++, users: 0 });
  entry.users++;
  return entry.number;
}

/** Says that a channel is closed: a key that nobody follows leaves nothing behind. */
export function releaseNumber(registry: Registry, key: Key): void {
  const numbers = known.get(registry);
  const entry = numbers?.byKey.get(key);
  if (entry !== undefined && --entry.users === 0) numbers!.byKey.delete(key);
}
