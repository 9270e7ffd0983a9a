/** Tells what is committed, received and acknowledged. */

import type { Path } from "../core/codec/value.ts";
import type { Key } from "../core/identity/key.ts";
import type { Difference } from "../core/repo/diff.ts";
import type { Repo } from "../core/repo/repo.ts";
import type { Snapshot } from "../core/repo/snapshot.ts";
import type { Session } from "../core/sync/session.ts";
import type { RepoStatus, SessionStatus } from "../core/sync/session_status.ts";
import { counted, nameList, type Printer } from "./printer.ts";

/** Prints a line for every change of `repo`: what was written here once it is durable. */
export function reportChanges(repo: Repo, files: Path, printer: Printer): void {
  let shown: Snapshot = repo.snapshot;
  let said: Promise<unknown> = Promise.resolve();
  /** Lines keep the order of what they tell. */
  const say = (line: () => string | undefined | Promise<string | undefined>) => {
    said = said.then(line).then((text) => text !== undefined && printer.line(text));
  };
  const tell = (verb: string) => {
    const after = repo.snapshot;
    const differences = repo.diff(shown, after);
    shown = after;
    const blocks = counted(repo.head?.blocks ?? 0, "block");
    const place = `(record ${repo.lastRecord?.seq}, ${blocks})`;
    say(async () => {
      const what = describe(await differences, after, files);
      return what && `${verb} ${what} ${place}`;
    });
  };
  repo.on("replaced", () => shown = repo.snapshot);
  repo.on("advance", ({ source }) => source === undefined && tell("committed"));
  repo.on("change", ({ isLocal }) => isLocal || tell("received"));
  repo.on("merged", ({ replaced }) => {
    const cited = replaced === undefined ? "" : `; the record cites the head that was here`;
    say(() => `merged what another device had written in the meantime${cited}`);
  });
  repo.on("forked", ({ lost, won }) => {
    const heads = `${counted(lost.blocks, "block")} give way to ${counted(won.blocks, "block")}`;
    say(() => `the key has signed two branches: ${heads}; what was only here is kept aside`);
  });
  repo.on("failed", (error) => {
    say(() => `NOT STORED, will be tried again with the next change: ${messageOf(error)}`);
  });
}

function describe(
  differences: readonly Difference[],
  after: Snapshot,
  files: Path,
): string | undefined {
  const names = new Set<string>();
  for (const { path } of differences) {
    const isInside = path.length > files.length && files.every((step, i) => path[i] === step);
    if (isInside) names.add(String(path[files.length]));
    else if (path.length > files.length) names.add(path.join("."));
    else for (const name of after.keys(files)) names.add(name);
  }
  if (names.size === 0) return undefined;
  return `${counted(names.size, "change")}: ${nameList([...names])}`;
}

/** Prints when a session comes, goes, has everything of `key`, or is refused. */
export function reportSession(session: Session, key: Key, printer: Printer): void {
  const { url } = session;
  // "Everything" is said when something was missing before, and after every new connection.
  let isOpen = true;
  session.on("status", (status) => {
    if (status.state !== "online") isOpen = true;
    const repo = status.repos.find((repo) => repo.key === key);
    if (repo !== undefined && repo.acked < repo.blocks) isOpen = true;
    const text = describeStatus(status, repo);
    if (text === undefined || !isOpen) return;
    isOpen = false;
    printer.line(text);
  });
  session.on(
    "rejected",
    ({ code, message }) => printer.line(`${url} refused: ${message} (${code})`),
  );
}

function describeStatus(
  { state, url, reason, retryMs }: SessionStatus,
  repo: RepoStatus | undefined,
): string | undefined {
  if (state === "away") {
    const waiting = repo !== undefined && repo.blocks > 0
      ? "; what is not acknowledged stays here"
      : "";
    const seconds = ((retryMs ?? 0) / 1000).toFixed(1);
    return `${url} is away: ${reason || "no reason given"}; next try in ${seconds} s${waiting}`;
  }
  if (state !== "online" || repo === undefined || repo.phase !== "live") return undefined;
  const { blocks, acked, peerBlocks } = repo;
  if (peerBlocks > blocks) return undefined;
  if (blocks === 0) {
    return `${url} is connected and has nothing of this key yet; if it should, check the password`;
  }
  if (acked >= blocks) return `${url} has acknowledged everything (${counted(blocks, "block")})`;
  return undefined;
}

/** What a peer has not got, for the last line; undefined if it has everything. */
export function describeMissing({ url, repos }: SessionStatus, key: Key): string | undefined {
  const repo = repos.find((repo) => repo.key === key);
  if (repo === undefined || repo.acked >= repo.blocks) return undefined;
  const missing = counted(repo.blocks - repo.acked, "block");
  return `NOT acknowledged by ${url}: ${missing}; kept here for the next time`;
}

/** An error as a sentence. */
export function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
