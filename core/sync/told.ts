/** Errors of this side, for a peer. */

import { type Code, StreamoError } from "../errors.ts";

/** Codes whose sentences tell of this machine: where its files are is nothing for a stranger to know. */
const LOCAL_FAULTS: Partial<Record<Code, string>> = {
  damaged: "stored data no longer matches its checksums",
  locked: "another process holds the data directory",
  storage: "it could not write",
};

/** The sentence that a peer is told. */
export function toldOf({ code, message }: StreamoError): string {
  const fault = LOCAL_FAULTS[code];
  return fault === undefined ? message : `this peer's own store fails: ${fault}`;
}

/** `error`, whatever it is, with a code. */
export function coded(error: unknown): StreamoError {
  if (error instanceof StreamoError) return error;
  const message = error instanceof Error ? error.message : String(error);
  return new StreamoError("storage", `unexpected: ${message}`, {}, { cause: error });
}
