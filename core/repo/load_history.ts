/** History that is fetched: each block once, whatever the walk's length. */

import { untilThere } from "../codec/chunks.ts";
import { decode } from "../codec/decode.ts";
import type { Branch, PublishedEvent } from "./branch.ts";
import { type HistoryRange, type Walk, walkEvents, walkRecords } from "./history.ts";
import type { LogRecord } from "./record.ts";

/** The records of a walk, fetching what is not at hand. */
export async function* loaded(walk: Walk): AsyncGenerator<LogRecord> {
  for (const step of walk) {
    if (typeof step === "function") await untilThere(step);
    else yield step;
  }
}

/** See {@link walkRecords}. */
export function loadHistory(
  { space, record }: Branch,
  range?: HistoryRange,
): AsyncGenerator<LogRecord> {
  return loaded(walkRecords(space, record, range));
}

/** See {@link walkEvents}. */
export async function* loadEvents(
  { space, record }: Branch,
  range?: HistoryRange,
): AsyncGenerator<PublishedEvent> {
  for await (const event of loaded(walkEvents(space, record, range))) {
    yield { record: event, value: await untilThere(() => decode(space, event.event)) };
  }
}
