/** Tells what is committed, received and acknowledged. */

import type { Path } from "../core/codec/value.ts";
import type { Repo } from "../core/repo/repo.ts";
import type { Snapshot } from "../core/repo/snapshot.ts";
import type { Session, SessionStatus } from "../core/sync/session.ts";
import { counted, nameList, type Printer } from "./printer.ts";

/** Prints a line for every change of `repo` that has become durable here. */
export function reportChanges(repo: Repo, files: Path, printer: Printer): void {
  let shown: Snapshot = repo.snapshot;
  repo.on("replaced", () => shown = repo.snapshot);
  repo.on("advance", ({ head, source }) => {
    const now = repo.snapshot;
    const verb = source === undefined ? "committed" : "received";
    const what = describe(repo, shown, now, files);
    shown = now;
    if (what !== undefined) {
      printer.line(
        `${verb} ${what} (record ${repo.lastRecord?.seq}, ${counted(head.blocks, "block")})`,
      );
    }
  });
  repo.on("merged", ({ replaced }) => {
    const why = replaced === undefined
      ? ""
      : `; this device's head of ${replaced.blocks} blocks is cited`;
    printer.line(`merged what another device had written in the meantime${why}`);
  });
  repo.on("failed", (error) => {
    printer.line(`NOT STORED, will be tried again with the next change: ${messageOf(error)}`);
  });
}

function describe(repo: Repo, before: Snapshot, after: Snapshot, files: Path): string | undefined {
  const names = new Set<string>();
  for (const { path } of repo.diff(before, after)) {
    const isFile = files.every((step, i) => path[i] === step) && path.length > files.length;
    names.add(isFile ? String(path[files.length]) : path.map(String).join("."));
  }
  if (names.size === 0) return undefined;
  return `${counted(names.size, "change")}: ${nameList([...names])}`;
}

/** Prints when a session comes, goes, has everything, or is refused. */
export function reportSession(session: Session, printer: Printer): void {
  const { url } = session;
  let last = "";
  const say = (text: string) => {
    if (text === last) return;
    last = text;
    printer.line(text);
  };
  session.on("status", (status) => say(describeStatus(status) ?? last));
  session.on(
    "rejected",
    ({ code, message }) => printer.line(`${url} refused: ${message} (${code})`),
  );
}

function describeStatus({ state, url, reason, retryMs, repos }: SessionStatus): string | undefined {
  const [repo] = repos;
  if (state === "away") {
    const waiting = repo !== undefined && repo.blocks > 0
      ? "; what is not acknowledged stays here"
      : "";
    const seconds = ((retryMs ?? 0) / 1000).toFixed(1);
    return `${url} is away: ${reason || "no reason given"}; next try in ${seconds} s${waiting}`;
  }
  if (state !== "online" || repo === undefined || repo.phase !== "live") return undefined;
  const { blocks, acked } = repo;
  if (blocks === 0) return `${url} is connected; it has nothing of this key yet`;
  if (acked >= blocks) return `${url} has acknowledged everything (${counted(blocks, "block")})`;
  return undefined;
}

/** An error as a sentence. */
export function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
