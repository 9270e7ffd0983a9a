/** Which state of a repo a URL asks for: `?at=SEQ` or `?at=DATE`. */

import { StreamoError } from "../../core/errors.ts";
import type { LogRecord } from "../../core/repo/record.ts";
import type { Snapshot } from "../../core/repo/snapshot.ts";
import type { View } from "../views.ts";

/** A state, and whether the same URL will give it for ever. */
export interface PickedState {
  readonly snapshot: Snapshot;
  readonly immutable: boolean;
}

/** The state that `at` in `query` names; the newest without it. `malformed`, `not_found`. */
export async function pickState(view: View, query: URLSearchParams): Promise<PickedState> {
  const at = query.get("at");
  if (at === null) return { snapshot: view.snapshot, immutable: false };
  const when = parseWhen(at);
  const { repo } = view;
  const record = await repo.read(() => repo.recordAt(when));
  if (record === undefined) {
    throw new StreamoError("not_found", `the repo has no record as early as "${at.slice(0, 40)}"`);
  }
  return { snapshot: repo.at(record)!, immutable: isPast(when, record, repo.lastRecord!) };
}

/** Records to come have higher numbers, and times not before the newest record's. */
function isPast(when: number | Date, record: LogRecord, newest: LogRecord): boolean {
  return typeof when === "number" ? record.seq === when : when.getTime() < newest.time;
}

function parseWhen(at: string): number | Date {
  if (/^\d{1,15}$/.test(at)) return Number(at);
  // Without this, "-1" would be a day in the year 2000.
  const date = new Date(/^\d{4}-\d\d-\d\d/.test(at) ? at : NaN);
  if (!Number.isNaN(date.getTime())) return date;
  throw new StreamoError(
    "malformed",
    `not a record's number or a date: "${at.slice(0, 40)}" (such as 12 or 2026-01-31T12:00:00Z)`,
  );
}
