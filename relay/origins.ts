/** The relays that this one is fed from, as people and `/healthz` are told of them. */

import type { Session } from "../core/sync/session.ts";
import type { Upstreams } from "../core/sync/upstreams.ts";

/** What is known of one relay upstream. */
export interface OriginReport {
  readonly url: string;
  readonly state: "connecting" | "online" | "away" | "closed";
  /** Why it is not online. */
  readonly reason?: string;
  /** Repos that it is asked for. */
  readonly repos: number;
  /** Those of them of which it has not acknowledged everything. */
  readonly unacknowledged: number;
}

/** Every relay upstream as of now. */
export function reportOrigins(upstreams: Upstreams | undefined): OriginReport[] {
  return upstreams?.sessions.map(reportOrigin) ?? [];
}

/** Prints when a relay upstream comes, goes, lies or refuses, with what it has not acknowledged. */
export function tellOrigins(upstreams: Upstreams, print: (line: string) => void): void {
  for (const session of upstreams.sessions) {
    let shown = "";
    let wasBehind = false;
    session.on("status", ({ state, url, reason }) => {
      if (state === "connecting" || state === "closed") return;
      if (state === "online" && (wasBehind || shown !== state)) {
        const { unacknowledged } = reportOrigin(session);
        if (shown === state && unacknowledged > 0) return;
        wasBehind = unacknowledged > 0;
        print(`${url} is connected${behind(unacknowledged)}`);
      } else if (shown !== state + reason && state === "away") {
        const { unacknowledged } = reportOrigin(session);
        wasBehind = true;
        print(`${url} is away: ${reason}${behind(unacknowledged)}`);
      }
      shown = state === "online" ? state : state + reason;
    });
    session.on("rejected", ({ key, code, message }) => {
      print(`${session.url}: ${key === undefined ? "" : `${key} `}${message} (${code})`);
    });
  }
}

/** What the relays upstream have not got, for the last lines; nothing if they have everything. */
export function describeBehind(upstreams: Upstreams): string[] {
  return reportOrigins(upstreams).filter(({ unacknowledged }) => unacknowledged > 0)
    .map(({ url, unacknowledged }) => `${url}${behind(unacknowledged)}`);
}

function behind(repos: number): string {
  if (repos === 0) return "";
  return `: NOT acknowledged there: ${repos} ${repos === 1 ? "repo" : "repos"}, kept here`;
}

function reportOrigin(session: Session): OriginReport {
  const { url, state, reason, repos } = session.status;
  const unacknowledged = repos.filter(({ acked, blocks }) => acked < blocks).length;
  return { url, state, reason: reason || undefined, repos: repos.length, unacknowledged };
}
