/** A page that is what its repo holds: it renews itself when a file that it uses changes there. */

import { type Repo, type Snapshot, StreamoError } from "../mod.ts";
import { sitePlace } from "./site.ts";

/** What a relay puts into HTML that has none: not part of the file. */
const IMPORT_MAP = /<script type="importmap">[^<]*<\/script>/;

/**
 * Follows `repo`, of which the page at `location` is a file: a changed style sheet is exchanged in place,
 * any other file that the page uses reloads it. What the browser has loaded is compared first, so that
 * a change between loading and following is not missed. The result stops it.
 */
export function followSite(repo: Repo): () => void {
  const page = new FollowedPage(repo);
  const stop = repo.on("change", ({ before }) => void page.follow(before));
  page.catchUp();
  return () => {
    stop();
    page.isStopped = true;
  };
}

class FollowedPage {
  isStopped = false;
  readonly #repo: Repo;
  readonly #base = sitePlace().base.href;

  constructor(repo: Repo) {
    this.#repo = repo;
  }

  /** Makes the page show what has changed since `before`. */
  async follow(before: Snapshot): Promise<void> {
    try {
      const differences = await this.#repo.diff(before, this.#repo.snapshot);
      if (!this.isStopped) this.renew(differences.map(({ path }) => String(path[0])));
    } catch (error) {
      if (!(error instanceof StreamoError)) throw error;
      // An offline page cannot load what finds differences, nor blocks that are missing: it looks at all.
      await this.catchUp();
    }
  }

  /** Makes the page show `changed`, paths in the repo. */
  renew(changed: readonly string[]): void {
    const used = this.#used();
    const stale = changed.filter((path) => used.has(path));
    if (stale.length === 0) return;
    const sheets = stale.map((path) => this.#sheetsOf(path));
    if (sheets.every((links) => links.length > 0)) return sheets.flat().forEach(this.#exchange);
    // Without its document a page stays as it is: there is nothing to load in its place.
    if (this.#repo.has(this.#pathOf(location.href)!)) location.reload();
  }

  /** Renews what was loaded in another version than the repo's. */
  async catchUp(): Promise<void> {
    const seq = this.#repo.lastRecord?.seq;
    // Something between that changes files on the way must not make the page reload for ever.
    if (seq === undefined || history.state?.streamoCaughtUp === seq) return;
    const files = [...this.#used()].filter(([path]) => this.#repo.has(path));
    const stale = await Promise.all(files.map(async ([path, url]) => {
      const text = await loadedText(url);
      return text !== undefined && this.#isOther(path, text) ? path : undefined;
    }));
    if (this.isStopped) return;
    history.replaceState({ ...history.state, streamoCaughtUp: seq }, "");
    this.renew(stale.filter((path) => path !== undefined));
  }

  /** Files of the site that the page has loaded: URLs by path. */
  #used(): Map<string, string> {
    const used = new Map<string, string>();
    const resources = performance.getEntriesByType("resource").map(({ name }) => name);
    for (const url of [location.href, ...resources]) {
      const path = this.#pathOf(url);
      if (path !== undefined && !used.has(path)) used.set(path, url);
    }
    return used;
  }

  /** The path in the repo of what is at `url`, or undefined for what is not of this site. */
  #pathOf(url: string): string | undefined {
    if (!url.startsWith(this.#base)) return undefined;
    const path = decoded(url.slice(this.#base.length).replace(/[?#].*$/s, ""));
    return path === "" || path?.endsWith("/") ? `${path}index.html` : path;
  }

  #sheetsOf(path: string): HTMLLinkElement[] {
    const links = document.querySelectorAll<HTMLLinkElement>('link[rel="stylesheet"]');
    return [...links].filter(({ href }) => this.#pathOf(href) === path);
  }

  /** Loads the sheet of `link` as of now, and takes the old one away when the new one counts. */
  #exchange = (link: HTMLLinkElement): void => {
    const url = new URL(link.href);
    url.searchParams.set("at", String(this.#repo.lastRecord!.seq));
    const next = link.cloneNode() as HTMLLinkElement;
    next.href = url.href;
    next.addEventListener("load", () => link.remove());
    // One that could not be loaded leaves the old one in force; the next change tries again.
    next.addEventListener("error", () => next.remove());
    link.after(next);
  };

  /** Whether the repo holds something else at `path` than `text`, which the browser has loaded. */
  #isOther(path: string, text: string): boolean {
    const file = this.#repo.get(path);
    // An executable file has its text one step further down; bytes are not compared.
    const content = typeof file === "string" ? file : this.#repo.get(path, "content");
    if (typeof content !== "string" || content === text) return false;
    return IMPORT_MAP.test(content) || content !== text.replace(IMPORT_MAP, "");
  }
}

/** What the browser keeps of `url`; undefined if neither it nor the relay has it now. */
async function loadedText(url: string): Promise<string | undefined> {
  try {
    const response = await fetch(url, { cache: "force-cache" });
    return response.ok ? await response.text() : undefined;
  } catch (error) {
    // How fetch says that the network is away: what has changed until then shows when it is back.
    if (error instanceof TypeError) return undefined;
    throw error;
  }
}

function decoded(path: string): string | undefined {
  try {
    return decodeURIComponent(path);
  } catch (error) {
    // No file has such a name.
    if (error instanceof URIError) return undefined;
    throw error;
  }
}
