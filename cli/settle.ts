/** Where two devices changed one file in ways that core does not combine: both versions stay. */

import type { Path } from "../core/codec/value.ts";
import type { OnConflict } from "../core/repo/conflict.ts";
import { conflictPath } from "./mirror/names.ts";

/** What {@link settleFiles} needs to know. */
export interface SettleOptions {
  /** Where the files are in the value. */
  readonly files: Path;
  /** The time in milliseconds, for the date in names. */
  readonly clock: () => number;
  /** Stands in names for this device's version. */
  readonly tag: string;
  /** Called with the name that this device's version got. */
  readonly onKept?: (path: string, kept: string) => void;
}

/** The rule for files; of other values the later one wins. */
export function settleFiles({ files, clock, tag, onKept }: SettleOptions): OnConflict {
  return (conflict) => {
    const { path, mineIsLater } = conflict;
    const name = path[files.length];
    const isFile = files.every((step, i) => path[i] === step) && typeof name === "string";
    if (!isFile) return mineIsLater ? "mine" : "theirs";
    // Below a file are its parts: whether it may be executed is not worth a second file.
    if (path.length > files.length + 1 && path[files.length + 1] !== "content") {
      return mineIsLater ? "mine" : "theirs";
    }
    const date = new Date(clock()).toISOString().slice(0, 10);
    // A time of day in the tag: a second conflict on one day must not replace the first.
    const kept = conflictPath(name, date, `${tag}-${clock().toString(36)}`, 1);
    conflict.also([...files, kept], "mine");
    onKept?.(name, kept);
    return "theirs";
  };
}
