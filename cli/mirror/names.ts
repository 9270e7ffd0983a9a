/**
 * Which paths and symlink targets may exist on disk. Paths of a repo are hostile: its author wants
 * to write `../../.ssh/authorized_keys` or `.git/hooks/post-checkout`. The same rules hold for what
 * is found on disk, so that a mirror never sends what another mirror would refuse.
 */

/** What the rules depend on besides the path. */
export interface NameRules {
  /** Whether Windows reads the names: it has drives, devices and two separators. */
  readonly windows: boolean;
  /** The data directory, relative to the folder, if it lies inside. */
  readonly dataPath: string | undefined;
}

/** Longest segment of ext4, APFS and most others, in UTF-8 bytes. */
export const MAX_NAME_BYTES = 255;

/** The kernel's limit of a symlink's target, in bytes. */
const MAX_TARGET_BYTES = 4095;

/** Code points that HFS+ leaves out when it compares names: `.g<ZWNJ>it` opens `.git` there. */
const IGNORABLE = /[\u200c-\u200f\u202a-\u202e\u206a-\u206f\ufeff]/g;

const TEMP_NAME = /^\.streamo-tmp-[0-9a-f]{16}$/;

// deno-lint-ignore no-control-regex -- Windows refuses control characters in names
const WINDOWS_CHARACTERS = /[\u0000-\u001f<>:"|?*\\]/;
const WINDOWS_DEVICES = /^(con|prn|aux|nul|conin\$|conout\$|com[0-9¹²³]|lpt[0-9¹²³])$/;

const encoder = new TextEncoder();

/** Why `path` must not exist on disk, or undefined if it may. */
export function refusePath(path: string, rules: NameRules): string | undefined {
  if (path === "") return "the path is empty";
  if (path.startsWith("/")) return "the path is absolute";
  for (const name of path.split("/")) {
    const reason = refuseName(name, rules.windows);
    if (reason !== undefined) return reason;
  }
  const { dataPath } = rules;
  if (dataPath !== undefined) {
    const folded = foldCase(path);
    const data = foldCase(dataPath);
    if (folded === data || folded.startsWith(`${data}/`)) return "it lies in the data directory";
  }
  return undefined;
}

/** Why one segment is refused, or undefined. */
export function refuseName(name: string, windows: boolean): string | undefined {
  if (name === "") return "a segment is empty";
  if (name === "." || name === "..") return `the segment "${name}" leaves its folder`;
  if (name.includes("\0")) return "a segment holds NUL";
  if (!name.isWellFormed()) return "a segment is not valid Unicode";
  // Each UTF-16 unit is at most 3 bytes: most names need no encoding.
  if (name.length * 3 > MAX_NAME_BYTES && byteLength(name) > MAX_NAME_BYTES) {
    return `a segment is over ${MAX_NAME_BYTES} bytes`;
  }
  const plain = plainName(name);
  if (plain === ".git" || /^git~[0-9]+$/.test(plain)) return `"${name}" opens a git repository`;
  if (plain === ".streamo") return `"${name}" is a data directory`;
  return windows ? refuseWindowsName(name) : undefined;
}

function refuseWindowsName(name: string): string | undefined {
  if (WINDOWS_CHARACTERS.test(name)) return `"${name}" holds a character that Windows refuses`;
  if (/[. ]$/.test(name)) return `"${name}" ends in a way that Windows cuts off`;
  const stem = name.split(".")[0].trimEnd().toLowerCase();
  if (WINDOWS_DEVICES.test(stem)) return `"${name}" is a device on Windows`;
  return undefined;
}

/** How the most forgiving file system reads a name: case, ignorables, streams and dots cut off. */
function plainName(name: string): string {
  return name.replace(IGNORABLE, "").split(":")[0].replace(/[. ]+$/, "").toLowerCase();
}

/**
 * Why a symlink at `path` must not point to `target`, or undefined. `..` may only stand in front:
 * there it climbs real folders, whose depth is known; after a name it would climb from wherever
 * another symlink leads.
 */
export function refuseTarget(path: string, target: string, windows: boolean): string | undefined {
  if (target === "") return "its target is empty";
  if (target.includes("\0")) return "its target holds NUL";
  if (!target.isWellFormed()) return "its target is not valid Unicode";
  if (byteLength(target) > MAX_TARGET_BYTES) return `its target is over ${MAX_TARGET_BYTES} bytes`;
  if (target.startsWith("/")) return `its target "${target}" is absolute`;
  if (windows && /[\\:]/.test(target)) return `its target "${target}" may be absolute on Windows`;
  let depth = path.split("/").length - 1;
  let descended = false;
  for (const name of target.split("/")) {
    if (name === "" || name === ".") continue;
    if (name !== "..") descended = true;
    else if (descended) return `its target "${target}" climbs after it has gone down`;
    else if (--depth < 0) return `its target "${target}" leaves the folder`;
  }
  return undefined;
}

/** Names that are never mirrored and nobody needs to hear about: secrets and our own files. */
export function isPrivateName(name: string): boolean {
  return name.startsWith(".streamo-") || /^\.env/i.test(name);
}

/**
 * Whether a change at `path` can be one of mirrored files: not in a git repository or the data
 * directory, and not a file in the making. Else each sync would be the cause of the next.
 */
export function concerns(path: string, { dataPath }: NameRules): boolean {
  if (dataPath !== undefined && `${path}/`.startsWith(`${dataPath}/`)) return false;
  return !path.split("/").some((name) =>
    name === ".git" || name === ".streamo" || isTempName(name)
  );
}

/** Whether `name` is one that {@link tempName} makes. */
export function isTempName(name: string): boolean {
  return TEMP_NAME.test(name);
}

/** A fresh name for a file that is not complete yet. */
export function tempName(): string {
  return `.streamo-tmp-${crypto.getRandomValues(new Uint8Array(8)).toHex()}`;
}

/**
 * The name that the local version takes when both sides changed: `a.conflict-DATE-TAG.txt`, with a
 * number behind the tag from the second on. The stem is cut to fit into {@link MAX_NAME_BYTES}.
 */
export function conflictPath(path: string, date: string, tag: string, attempt: number): string {
  const slash = path.lastIndexOf("/") + 1;
  const name = path.slice(slash);
  const dot = name.lastIndexOf(".");
  // An "extension" that is long is part of the name; a dot in front is a hidden file.
  const cut = dot > 0 && byteLength(name.slice(dot)) <= 32 ? dot : name.length;
  const mark = `.conflict-${date}-${tag}${attempt > 1 ? `-${attempt}` : ""}${name.slice(cut)}`;
  let stem = name.slice(0, cut);
  while (byteLength(stem) + byteLength(mark) > MAX_NAME_BYTES) {
    stem = [...stem].slice(0, -1).join("");
  }
  return path.slice(0, slash) + stem + mark;
}

/** The folder of `path`, "" for the top. */
export function parentOf(path: string): string {
  const slash = path.lastIndexOf("/");
  return slash < 0 ? "" : path.slice(0, slash);
}

function foldCase(path: string): string {
  return path.normalize("NFC").toLowerCase();
}

function byteLength(text: string): number {
  return encoder.encode(text).length;
}
