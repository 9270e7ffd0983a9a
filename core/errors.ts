/**
 * The one domain error. Everything that a caller can handle, and everything that the wire carries,
 * is a {@link StreamoError} with a code of the closed union {@link Code}; misuse of the API by the
 * program itself is a `TypeError` or `RangeError`.
 */

/** Every code, with what it means. The wire uses the same words. */
export const CODES = {
  malformed: "bytes, text or a message that do not follow the format",
  too_large: "past a stated limit",
  budget: "a reading budget (elements, bytes or depth) is used up",
  bad_signature: "a signature that its key did not make",
  bad_block: "a block or hash that the signed head does not cover",
  wrong_key: "a head, block or credentials that belong to another key",
  stale: "a head older than the one already held",
  conflict: "a head that does not extend the one already held",
  missing_block: "a block that this log does not hold",
  not_found: "nothing is stored under that name",
  read_only: "a write to a repo that has no signer",
  damaged: "stored data that no longer matches its checksums",
  locked: "another process holds the data directory",
  storage: "the store could not write (disk full, no permission)",
  unreachable: "the peer cannot be reached",
  refused: "the peer's policy does not allow it",
  rate: "too much in too short a time",
  closed: "the session, repo or store is closed",
  unsupported: "a version or feature that this software does not have",
} as const;

/** A word of {@link CODES}. */
export type Code = keyof typeof CODES;

/** An error that a caller can handle, named by its {@link Code}. */
export class StreamoError extends Error {
  /** What went wrong, as a word that programs can compare. */
  readonly code: Code;
  /** Facts that belong to the error: addresses, limits, heads. */
  readonly data: Readonly<Record<string, unknown>>;

  /** `message` is a sentence for people: what was attempted, the value quoted, no final period. */
  constructor(
    code: Code,
    message: string,
    data: Readonly<Record<string, unknown>> = {},
    options?: ErrorOptions,
  ) {
    super(message, options);
    this.name = "StreamoError";
    this.code = code;
    this.data = data;
  }
}

/** Whether `text` is a word of {@link CODES}: codes from a peer are untrusted. */
export function isCode(text: unknown): text is Code {
  return typeof text === "string" && Object.hasOwn(CODES, text);
}
