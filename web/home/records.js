// One record as a row: when, what changed, what its author says, its number.

import { h, signal } from "@streamo/streamo/web";

const NAMES = 4;

export function recordRow(repo, record, base) {
  const time = new Date(record.time);
  const isToday = time.toDateString() === new Date().toDateString();
  const shown = isToday
    ? time.toLocaleTimeString([], { hour: "2-digit", minute: "2-digit", second: "2-digit" })
    : time.toLocaleString([], { dateStyle: "medium", timeStyle: "short" });
  return h`<li key=${record.address} id=${`record-${record.seq}`}>
    <span class="seq" title="Record number">${record.seq}</span>
    <time dateTime=${time.toISOString()} title=${time.toISOString()}>${shown}</time>
    <span class="what">${whatChanged(repo, record, base)}</span>
    ${record.message && h`<span class="message">${record.message}</span>`}
  </li>`;
}

/** A cell: what finds differences is loaded with the first of them. */
function whatChanged(repo, record, base) {
  const after = repo.at(record);
  const found = signal({ names: undefined });
  changedNames(repo, record, after).then(
    (names) => found.value = { names },
    (error) => found.value = { error },
  );
  return () => {
    const { names, error } = found.value;
    if (names === undefined) return error?.message;
    if (names.length === 0) return record.hasEvent ? "an event" : "nothing";
    const rest = names.length - NAMES;
    return h`${names.slice(0, NAMES).map((name) => file(name, after, record, base))}
      ${rest > 0 && h`<span class="quiet">and ${rest} more</span>`}`;
  };
}

/** Names at the top of the value in which this record differs from the one before. */
async function changedNames(repo, record, after) {
  const before = record.seq === 0 ? undefined : repo.at(record.seq - 1);
  const names = new Set();
  for (const { path } of await repo.diff(before, after)) {
    if (path.length > 0) names.add(String(path[0]));
    // The value as a whole: the first record, say.
    else for (const name of after.keys()) names.add(name);
  }
  return [...names];
}

function file(name, after, { seq }, base) {
  if (!after.has(name)) return h`<del key=${name} title="deleted">${name}</del>`;
  const path = name.split("/").map(encodeURIComponent).join("/");
  return h`<a key=${name} href=${`${base.href}${path}?at=${seq}`}>${name}</a>`;
}
