/**
 * The one domain error. Everything that a caller can handle, and everything that the wire carries,
 * is a {@link StreamoError} with a code of the closed union {@link Code}; misuse of the API by the
 * program itself is a `TypeError` or `RangeError`.
 */

/** Every code. The wire uses the same words. */
export const CODES = [
  /** Bytes, text or a message that do not follow the format. */
  "malformed",
  /** Past a stated limit. */
  "too_large",
  /** A reading budget (elements, bytes or depth) is used up. */
  "budget",
  /** A signature that its key did not make. */
  "bad_signature",
  /** A block or hash that the signed head does not cover. */
  "bad_block",
  /** A head, block or credentials that belong to another key. */
  "wrong_key",
  /** A head older than the one already held. */
  "stale",
  /** A head that does not extend the one already held. */
  "conflict",
  /** A block that this log does not hold. */
  "missing_block",
  /** Nothing is stored under that name. */
  "not_found",
  /** A write to a repo that has no signer. */
  "read_only",
  /** Stored data that no longer matches its checksums. */
  "damaged",
  /** Another process holds the data directory. */
  "locked",
  /** The store could not write (disk full, no permission). */
  "storage",
  /** The peer cannot be reached. */
  "unreachable",
  /** The peer's policy does not allow it. */
  "refused",
  /** Too much in too short a time. */
  "rate",
  /** The session, repo or store is closed. */
  "closed",
  /** A version or feature that this software does not have. */
  "unsupported",
] as const;

/** A word of {@link CODES}. */
export type Code = typeof CODES[number];

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
  return CODES.includes(text as Code);
}
