/** The path of a URL as the path of a file. */

import { StreamoError } from "../../core/errors.ts";

/**
 * The decoded path of an encoded one (no leading slash), or undefined where no file can be: an escaped
 * slash is part of a name, and no name holds one. `malformed` for escapes that are not UTF-8.
 */
export function decodePath(encoded: string): string | undefined {
  const segments: string[] = [];
  for (const raw of encoded.split("/")) {
    const segment = decodeSegment(raw);
    if (segment.includes("/") || segment === "." || segment === "..") return undefined;
    segments.push(segment);
  }
  return segments.join("/");
}

/** One decoded segment; `malformed` for escapes that are not UTF-8. */
export function decodeSegment(raw: string): string {
  try {
    return decodeURIComponent(raw);
  } catch (cause) {
    const quoted = raw.slice(0, 80);
    throw new StreamoError("malformed", `a URL with a bad escape: "${quoted}"`, {}, { cause });
  }
}

/**
 * The Location that adds a slash to `url`. It is relative and begins with a dot, so that a path like
 * `//evil.example` cannot send anybody to another host.
 */
export function withSlash(url: URL): string {
  const last = url.pathname.slice(url.pathname.lastIndexOf("/") + 1);
  return `./${last}/${url.search}`;
}
