/** A repo as the peer has it now. */

import { StreamoError } from "../errors.ts";
import type { Key } from "../identity/key.ts";
import type { SignedHead } from "../log/head.ts";
import type { Repo } from "../repo/repo.ts";
import type { Channel } from "./channel.ts";
import { covers } from "./repo_status.ts";
import type { SubscribeOptions } from "./session_options.ts";
import type { RepoStatus } from "./session_status.ts";

/** What it needs of a session. */
export interface Fetching {
  readonly url: string;
  subscribe(key: Key, options: SubscribeOptions): Promise<Repo>;
  unsubscribe(key: Key, options: SubscribeOptions): void;
}

/** Resolves when `isReached` holds of a repo of the session. */
export type Until = (
  isReached: (status: RepoStatus, channel: Channel | undefined) => boolean,
  key: Key,
) => Promise<void>;

/** See `Session.fetch`. */
export async function fetchOnce(session: Fetching, until: Until, key: Key): Promise<Repo> {
  const owner = {};
  const repo = await session.subscribe(key, { owner });
  let told: SignedHead | undefined;
  try {
    await until(({ phase }, channel) => {
      // What the peer writes from now on need not be waited for.
      told ??= channel?.state.peer;
      return phase === "apart" || phase === "live" && covers(channel!.state, told);
    }, key);
  } finally {
    session.unsubscribe(key, { owner });
  }
  if (repo.head !== undefined) return repo;
  throw new StreamoError("not_found", `cannot fetch ${key}: ${session.url} has nothing of it`);
}
