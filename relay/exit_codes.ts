/** What the exit code of a program says; relay and command line share this table. */

import { type Code, StreamoError } from "../core/errors.ts";

/** Every exit code, by name. */
export const EXIT_CODES = {
  /** Done. */
  ok: 0,
  /** Something that was not foreseen, or that has no code of its own here. */
  failed: 1,
  /** It cannot start as asked: a wrong option, a port in use, a folder that is not there. */
  usage: 2,
  /** Another process holds the data directory. */
  locked: 3,
  /** The peer cannot be reached, or went away before it had everything. */
  unreachable: 4,
  /** The peer, or the key that was given, does not allow it. */
  refused: 5,
  /** Stored or received data is not what its signature or checksum covers. */
  damaged: 6,
} as const;

/** A name in {@link EXIT_CODES}. */
export type ExitName = keyof typeof EXIT_CODES;

const EXIT_OF: Partial<Record<Code, ExitName>> = {
  locked: "locked",
  unreachable: "unreachable",
  closed: "unreachable",
  refused: "refused",
  read_only: "refused",
  wrong_key: "refused",
  damaged: "damaged",
  bad_signature: "damaged",
  bad_block: "damaged",
};

/** An error that a program ends with because it cannot start as asked. */
export class UsageError extends Error {
  /** `message` is a sentence for people. */
  constructor(message: string, options?: ErrorOptions) {
    super(message, options);
    this.name = "UsageError";
  }
}

/** The exit code for a program that ends with `error`. */
export function exitCodeOf(error: unknown): number {
  if (error instanceof UsageError) return EXIT_CODES.usage;
  if (!(error instanceof StreamoError)) return EXIT_CODES.failed;
  return EXIT_CODES[EXIT_OF[error.code] ?? "failed"];
}
