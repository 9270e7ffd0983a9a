/** Pieces of files kept in memory, bounded over all files together. */

/** The longest unused page is dropped first. */
export class PageCache {
  readonly #pages = new Map<string, Uint8Array>();
  readonly #maxPages: number;

  /** 512 pages of 256 index entries are 8 MiB. */
  constructor(maxPages = 512) {
    this.#maxPages = maxPages;
  }

  /** The page of that name, which counts as used now. */
  get(id: string): Uint8Array | undefined {
    const page = this.#pages.get(id);
    if (page === undefined) return undefined;
    this.#pages.delete(id);
    this.#pages.set(id, page);
    return page;
  }

  /** Keeps a page. */
  set(id: string, page: Uint8Array): void {
    this.#pages.set(id, page);
    if (this.#pages.size <= this.#maxPages) return;
    for (const oldest of this.#pages.keys()) {
      this.#pages.delete(oldest);
      return;
    }
  }

  /** Forgets every page whose name starts with `prefix`. */
  release(prefix: string): void {
    for (const id of this.#pages.keys()) if (id.startsWith(prefix)) this.#pages.delete(id);
  }
}
