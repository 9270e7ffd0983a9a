/** Which repos are followed because of what is in another. */

import { Link, type Path } from "../codec/value.ts";
import type { Key } from "../identity/key.ts";
import type { Repo } from "../repo/repo.ts";
import type { Stat } from "../repo/snapshot.ts";

/** Steps that links are followed. */
const LINKS_DEPTH = 2;
/** Places that are looked at in one repo. */
const LOOKS_MAX = 10_000;

/**
 * Says which repos are of interest because of what is in `repo`, which is `depth` steps from the peer's
 * home repo: calls `subscribe` with their keys. Called again at every change; what it does not name
 * any more is not followed any more. Blocks that are not at hand are fetched, and it is called again.
 */
export type Follow = (
  repo: Repo,
  subscribe: (key: Key) => void,
  depth: number,
) => void | Promise<void>;

/** Follows what links in the value point to. */
export const followLinks: Follow = (repo, subscribe, depth) => {
  if (depth >= LINKS_DEPTH) return;
  let left = LOOKS_MAX;
  const look = (path: Path, { kind, size }: Stat): void => {
    if (--left < 0) return;
    if (kind === "scalar") {
      const value = repo.get(...path);
      if (value instanceof Link) subscribe(value.key);
    } else if (kind === "map") {
      for (const [key, stat] of repo.snapshot.stats(path, { limit: left })) {
        look([...path, key], stat);
      }
    } else if (kind === "list") {
      for (let i = 0; i < Math.min(size, left); i++) look([...path, i], repo.stat(...path, i)!);
    }
  };
  const stat = repo.stat();
  if (stat !== undefined) look([], stat);
};
