/** Nested `.gitignore` files. The rules hold both ways: what they name is neither sent nor touched. */

import ignore, { type Ignore } from "ignore";
import { isPrivateName } from "./names.ts";

/** The rules of a folder, collected while it is walked from the top down. */
export class IgnoreRules {
  readonly #ignoreCase: boolean;
  /** The rules of each folder that has some, by its path ("" is the top). */
  readonly #byFolder = new Map<string, Ignore>();
  /** Verdicts on folders: every path below asks for them again. */
  readonly #folders = new Map<string, boolean>([["", false]]);

  /** `ignoreCase` where the file system does not tell `A` from `a`. */
  constructor(ignoreCase: boolean) {
    this.#ignoreCase = ignoreCase;
  }

  /** Adds the `.gitignore` of `folder`; must come before any question about what lies below. */
  add(folder: string, text: string): void {
    const rules = ignore({ ignorecase: this.#ignoreCase }).add(text.replace(/^\ufeff/, ""));
    this.#byFolder.set(folder, rules);
  }

  /** Whether the rules name the file `path` or a folder that it lies in. */
  ignoresFile(path: string): boolean {
    const slash = path.lastIndexOf("/");
    return this.ignoresFolder(slash < 0 ? "" : path.slice(0, slash)) || this.#verdict(path, path);
  }

  /** Whether the rules name the folder `path` or one that it lies in. */
  ignoresFolder(path: string): boolean {
    const known = this.#folders.get(path);
    if (known !== undefined) return known;
    const slash = path.lastIndexOf("/");
    const ignored = this.ignoresFolder(slash < 0 ? "" : path.slice(0, slash)) ||
      this.#verdict(path, `${path}/`);
    this.#folders.set(path, ignored);
    return ignored;
  }

  /** The verdict of the nearest folder that has an opinion; `asked` ends in `/` for a folder. */
  #verdict(path: string, asked: string): boolean {
    if (isPrivateName(path.slice(path.lastIndexOf("/") + 1))) return true;
    if (this.#byFolder.size === 0) return false;
    let end = path.lastIndexOf("/");
    while (true) {
      const folder = end < 0 ? "" : path.slice(0, end);
      const rules = this.#byFolder.get(folder);
      if (rules !== undefined) {
        const { ignored, unignored } = rules.test(end < 0 ? asked : asked.slice(end + 1));
        if (ignored || unignored) return ignored;
      }
      if (end < 0) return false;
      end = path.lastIndexOf("/", end - 1);
    }
  }
}
