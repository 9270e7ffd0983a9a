/** What a client accepts. */

import { parseAccept } from "hono/utils/accept";

/** Whether `header` (Accept) names HTML: browsers do when they navigate, programs do not. */
export function wantsHtml(header: string | null): boolean {
  return quality(header, "text/html") > 0;
}

/** Whether `header` (Accept) allows HTML, by name or by a wildcard. */
export function allowsHtml(header: string | null): boolean {
  if (header === null) return true;
  return ["text/html", "text/*", "*/*"].some((type) => quality(header, type) > 0);
}

/** Whether `header` (Accept-Encoding) allows gzip. */
export function acceptsGzip(header: string | null): boolean {
  if (header === null) return false;
  const accepted = parseAccept(header);
  const gzip = accepted.find(({ type }) => type === "gzip" || type === "x-gzip");
  const named = gzip ?? accepted.find(({ type }) => type === "*");
  return named !== undefined && named.q > 0;
}

function quality(header: string | null, type: string): number {
  if (header === null) return 0;
  return parseAccept(header).find((accepted) => accepted.type.toLowerCase() === type)?.q ?? 0;
}
