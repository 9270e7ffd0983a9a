/** Relays with branches of one key, and the devices that come to them. */

import type { Signer } from "../../core/identity/signer.ts";
import type { Key } from "../../core/identity/key.ts";
import { MemoryStore } from "../../core/log/memory_store.ts";
import type { Store } from "../../core/log/store.ts";
import { Registry } from "../../core/repo/registry.ts";
import type { Repo } from "../../core/repo/repo.ts";
import { connect, type Session } from "../../core/sync/session.ts";
import type { TestRelay } from "./relay.ts";
import { untilNews } from "./until_news.ts";

/** One device, or one reader, with a session to each of some relays. */
export interface Party {
  readonly repo: Repo;
  readonly registry: Registry;
  readonly store: Store;
  readonly sessions: readonly Session[];
  readonly news: News;
}

/** What the relays refused, and what was merged and lost. */
export interface News {
  readonly rejected: string[];
  merged: number;
  forked: number;
  /** Of the last fork. */
  proof: Uint8Array | undefined;
}

/** Joins `relays` as whoever holds `who`. */
export async function join(
  relays: readonly { readonly url: string }[],
  who: Signer | Key,
  store: Store = new MemoryStore(),
): Promise<Party> {
  const registry = new Registry({ store });
  const news: News = { rejected: [], merged: 0, forked: 0, proof: undefined };
  const signers = typeof who === "string" ? [] : [who];
  const sessions = relays.map(({ url }) => {
    const session = connect(registry, url, { signers });
    session.on("rejected", ({ code, message }) => news.rejected.push(`${code}: ${message}`));
    return session;
  });
  const repo = await registry.open(who);
  repo.on("merged", () => news.merged++);
  hearForks(repo, news);
  for (const session of sessions) await session.subscribe(repo.key);
  return { repo, registry, store, sessions, news };
}

/** Resolves when `test` holds, looked at whenever one of `parties` or `relays` has something new. */
export function untilAll(
  parties: readonly Pick<Party, "repo" | "sessions">[],
  test: () => boolean,
): Promise<void> {
  return untilNews(parties.flatMap(({ repo, sessions }) => [repo, ...sessions]), test);
}

/** A relay as something that {@link untilAll} can look at. */
export async function watched(relay: TestRelay, key: Key): Promise<Party> {
  const { registry } = relay;
  const repo = await registry.open(key);
  const news: News = { rejected: [], merged: 0, forked: 0, proof: undefined };
  hearForks(repo, news);
  return { repo, registry, store: registry.store, sessions: [], news };
}

function hearForks(repo: Repo, news: News): void {
  repo.on("forked", ({ proof }) => {
    news.forked++;
    news.proof = proof;
  });
}

/** Whether all have the same head. */
export function areEqual(parties: readonly Party[]): boolean {
  const roots = new Set(parties.map(({ repo: { head } }) => head?.root.toHex()));
  return roots.size === 1 && !roots.has(undefined);
}

/** Ends all sessions. */
export function leave(...parties: readonly Party[]): void {
  for (const { sessions } of parties) sessions.forEach((session) => session.close());
}
