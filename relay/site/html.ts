/** Putting an import map into HTML documents that have none. */

/** Elements whose content is not markup. */
const RAW = /^(script|style|textarea|title|xmp|iframe|noembed|noframes|noscript)$/;

/** Something of a document; positions are those of its first character and of what follows it. */
interface Token {
  readonly kind: "comment" | "declaration" | "start" | "end";
  /** Element name in lower case; "" for comments and declarations. */
  readonly name: string;
  readonly start: number;
  readonly end: number;
}

/**
 * Where an import map goes in the document that begins with `prefix`: after `<head>`, else after
 * `<html>`, else after the doctype (before it would mean quirks mode), else at the very start, after a
 * byte order mark. Undefined if the document has an import map already, is encoded as UTF-16, or
 * breaks off before its first element.
 */
export function importMapPosition(prefix: Uint8Array): number | undefined {
  // Two-byte encodings have zeros where ASCII is looked for here.
  if (prefix[0] === 0xfe && prefix[1] === 0xff || prefix[0] === 0xff && prefix[1] === 0xfe) {
    return undefined;
  }
  // One character a byte, so that positions are offsets.
  const text = new TextDecoder("windows-1252").decode(prefix);
  const start = prefix[0] === 0xef && prefix[1] === 0xbb && prefix[2] === 0xbf ? 3 : 0;
  let position = start;
  let inProlog = true;
  let reached = start;
  for (const token of tokens(text, start)) {
    if (isImportMap(text, token)) return undefined;
    if (!inProlog) continue;
    if (text.slice(reached, token.start).trim() !== "") inProlog = false;
    else if (token.kind === "declaration" || token.name === "html") position = token.end;
    else if (token.name === "head" && token.kind === "start") {
      position = token.end;
      inProlog = false;
    } else if (token.kind !== "comment") inProlog = false;
    reached = token.end;
  }
  return position;
}

function isImportMap(text: string, { kind, name, start, end }: Token): boolean {
  if (kind !== "start" || name !== "script") return false;
  return /[\s"'/]type\s*=\s*(?:"\s*importmap\s*"|'\s*importmap\s*'|importmap(?=[\s/>]))/i
    .test(text.slice(start, end));
}

/** The tags, comments and declarations from `at` on; what is inside scripts and the like is skipped. */
function* tokens(text: string, at: number): Generator<Token> {
  for (let start = text.indexOf("<", at); start !== -1; start = text.indexOf("<", at)) {
    const token = tokenAt(text, start);
    if (token === undefined) {
      at = start + 1;
      continue;
    }
    yield token;
    at = token.end;
    if (token.kind !== "start" || !RAW.test(token.name)) continue;
    const close = new RegExp(`</${token.name}(?=[\\s/>])`, "gi");
    close.lastIndex = at;
    at = close.exec(text)?.index ?? text.length;
  }
}

function tokenAt(text: string, start: number): Token | undefined {
  if (text.startsWith("<!--", start)) {
    // `<!-->` and `<!--->` are comments too.
    const close = /^<!--(?:-?>)|--!?>/g;
    const empty = /^<!---?>/.exec(text.slice(start, start + 6));
    close.lastIndex = start + 4;
    const match = empty === null ? close.exec(text) : null;
    const end = empty !== null
      ? start + empty[0].length
      : match === null
      ? text.length
      : match.index + match[0].length;
    return { kind: "comment", name: "", start, end };
  }
  const next = text[start + 1];
  if (next === "!" || next === "?") {
    const close = text.indexOf(">", start);
    return { kind: "declaration", name: "", start, end: close === -1 ? text.length : close + 1 };
  }
  const tag = /<(\/?)([a-z][^\s/>]*)/iy;
  tag.lastIndex = start;
  const match = tag.exec(text);
  if (match === null) return undefined;
  const kind = match[1] === "" ? "start" : "end";
  return { kind, name: match[2].toLowerCase(), start, end: tagEnd(text, tag.lastIndex) };
}

/** After the `>` of the tag whose attributes begin at `at`: one inside quotes does not count. */
function tagEnd(text: string, at: number): number {
  const part = /"[^"]*"|'[^']*'|>/g;
  part.lastIndex = at;
  for (let match = part.exec(text); match !== null; match = part.exec(text)) {
    if (match[0] === ">") return part.lastIndex;
  }
  return text.length;
}
