/** What of a repo is to be on the other side. */

import type { Repo } from "../repo/repo.ts";
import type { RepoStatus } from "./session_status.ts";

/** Waits with `until` for a status by which the peer has everything durably that `repo` has now. */
export async function landing(
  repo: Repo,
  until: (isReached: (status: RepoStatus) => boolean) => Promise<void>,
): Promise<void> {
  const goal = repo.head?.blocks ?? 0;
  // What was written here is somewhere else in a log that takes this one's place: then all of it counts.
  let isReplaced = false;
  const stop = repo.on("replaced", () => isReplaced = true);
  try {
    await until(({ phase, blocks, acked }) => {
      if (phase === "away" || phase === "opening") return false;
      return isReplaced ? acked >= blocks && !repo.log.isDirty : acked >= goal;
    });
  } finally {
    stop();
  }
}
