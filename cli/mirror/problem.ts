/** What a mirror could not do for one path while the rest went on. */

import { type Code, StreamoError } from "../../core/errors.ts";

/** One path that was left alone, and why. */
export interface Problem {
  /** Where, relative to the folder. */
  readonly path: string;
  /** What kind of problem, for programs. */
  readonly code: Code;
  /** A sentence for people, without a final period. */
  readonly message: string;
}

/** The problem that `error` makes at `path`; an error that nobody foresaw is thrown on. */
export function problemOf(path: string, error: unknown, attempt: string): Problem {
  if (error instanceof StreamoError) {
    return { path, code: error.code, message: `${attempt}: ${error.message}` };
  }
  if (!isFileError(error)) throw error;
  const code = error instanceof Deno.errors.NotFound ? "not_found" : "storage";
  return { path, code, message: `${attempt}: ${error.message}` };
}

/** Whether the operating system made `error`: no permission, disk full, name too long. */
export function isFileError(error: unknown): error is Error {
  if (!(error instanceof Error)) return false;
  return "code" in error && typeof error.code === "string" ||
    Object.values(Deno.errors).some((kind) => error instanceof kind);
}

/** Whether there is simply nothing at a path, or a file where a folder on the way should be. */
export function isAbsent(error: unknown): boolean {
  return error instanceof Deno.errors.NotFound || error instanceof Deno.errors.NotADirectory;
}
