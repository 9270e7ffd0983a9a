/** Errors of this side, for a peer. */

import { type Code, CODES, StreamoError } from "../errors.ts";

/** Codes whose sentences tell of this machine: where its files are is nothing for a stranger to know. */
const LOCAL_CODES: ReadonlySet<Code> = new Set<Code>(["damaged", "locked", "storage"]);

/** The sentence that a peer is told. */
export function toldOf({ code, message }: StreamoError): string {
  return LOCAL_CODES.has(code) ? `this peer's own store fails: ${CODES[code]}` : message;
}

/** `error`, whatever it is, with a code. */
export function coded(error: unknown): StreamoError {
  if (error instanceof StreamoError) return error;
  const message = error instanceof Error ? error.message : String(error);
  return new StreamoError("storage", `unexpected: ${message}`, {}, { cause: error });
}
