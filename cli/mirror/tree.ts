/** What the mirror needs of a repo: a flat map from path to file, read as streams. */

/** Files of up to this many bytes are one value; larger ones are streamed. */
export const SMALL_BYTES = 1 << 20;

/** Equal ids mean equal entries; different ids do not mean different entries. */
export interface TreeEntry {
  /** Relative, with `/` between segments. Comes from a repo: hostile until checked. */
  readonly path: string;
  /** Names the content; never reused for another. */
  readonly id: string;
  /** Bytes, if known without reading. */
  readonly size?: number;
}

/** What an entry holds. `id` names what was opened, which may be newer than what was listed. */
export type Opened =
  | {
    readonly kind: "file";
    readonly id: string;
    readonly executable: boolean;
    readonly size: number;
    readonly content: ReadableStream<Uint8Array>;
  }
  | { readonly kind: "symlink"; readonly id: string; readonly target: string }
  | { readonly kind: "malformed"; readonly reason: string };

/** Exact text (a byte order mark kept), exact bytes, or a stream for more than {@link SMALL_BYTES}. */
export type Content = string | Uint8Array | ReadableStream<Uint8Array>;

/**
 * One change of a commit. `replaces` is the id that the change was decided on: where the repo holds
 * another by now, the change is left out, so that it never overwrites what nobody has looked at.
 */
export type Change =
  | { readonly kind: "remove"; readonly path: string; readonly replaces: string }
  | {
    readonly kind: "symlink";
    readonly path: string;
    readonly replaces: string | undefined;
    readonly target: string;
  }
  | {
    readonly kind: "file";
    readonly path: string;
    readonly replaces: string | undefined;
    readonly executable: boolean;
    /** As scanned, for progress; the content decides. */
    readonly size: number;
    /** Called once, when its turn comes; undefined means that the change must be left out. */
    content(): Promise<Content | undefined>;
  };

/** A repo as the mirror sees it. Errors are StreamoError. */
export interface Tree {
  /** All entries of the state now, sorted by path. */
  list(): AsyncIterable<TreeEntry>;
  /** Opens one entry in bounded memory; `not_found` if it is gone. */
  open(path: string): Promise<Opened>;
  /**
   * One commit with all changes, or an error and none of them. Returns the new id of each change
   * that was made, undefined for a removal; a change left out is not in the map. With nothing left
   * to change, no commit is made. Streams are read to their end or cancelled.
   */
  commit(
    changes: readonly Change[],
    message: string,
  ): Promise<ReadonlyMap<string, string | undefined>>;
}
