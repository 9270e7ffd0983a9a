/** Waiting for what repos and sessions say, without looking at a clock. */

import { Repo } from "../../core/repo/repo.ts";
import type { Session } from "../../core/sync/session.ts";

/** Resolves when `test` holds, looked at now and whenever one of `sources` has something new. */
export function untilNews(
  sources: readonly (Repo | Session)[],
  test: () => boolean,
): Promise<void> {
  return new Promise((resolve) => {
    const stops: (() => void)[] = [];
    const look = () => {
      if (!test()) return;
      stops.splice(0).forEach((stop) => stop());
      resolve();
    };
    for (const source of sources) {
      if (source instanceof Repo) {
        stops.push(
          source.on("change", look),
          source.on("advance", look),
          source.on("asides", look),
        );
      } else stops.push(source.on("status", look), source.on("rejected", look));
    }
    look();
  });
}
