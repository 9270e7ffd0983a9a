/** Byte ranges (RFC 9110, section 14). */

/** Bytes [start, end) of a representation. */
export interface Bytes {
  readonly start: number;
  readonly end: number;
}

/**
 * What `header` (Range) asks of `size` bytes. Undefined means the whole: no range, one that cannot be
 * understood, or several, which a server may ignore.
 */
export function parseRange(
  header: string | null,
  size: number,
): Bytes | "unsatisfiable" | undefined {
  const match = header === null ? null : /^\s*bytes\s*=\s*(\d*)\s*-\s*(\d*)\s*$/i.exec(header);
  if (match === null) return undefined;
  const [, first, last] = match;
  if (first === "") {
    if (last === "") return undefined;
    const length = Math.min(Number(last), size);
    return length === 0 ? "unsatisfiable" : { start: size - length, end: size };
  }
  const start = Number(first);
  if (last !== "" && Number(last) < start) return undefined;
  if (start >= size) return "unsatisfiable";
  return { start, end: last === "" ? size : Math.min(Number(last) + 1, size) };
}
