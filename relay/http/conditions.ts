/** Conditional requests (RFC 9110, section 13). */

/** Entity tags in a list, weak or strong. */
const TAGS = /(W\/)?"([\x21\x23-\x7e\x80-\xff]*)"/g;

/**
 * Whether `header` (If-None-Match) names the opaque tag `tag`: `*` names every tag, and weak tags
 * compare as strong ones do, which is what the standard asks for here.
 */
export function namesTag(header: string | null, tag: string): boolean {
  if (header === null) return false;
  if (header.trim() === "*") return true;
  for (const match of header.matchAll(TAGS)) if (match[2] === tag) return true;
  return false;
}

/**
 * Whether a Range counts, given `header` (If-Range): only with the very same strong tag. Dates never
 * match, because nothing here is served with Last-Modified.
 */
export function rangeCounts(header: string | null, tag: string): boolean {
  return header === null || header.trim() === `"${tag}"`;
}
