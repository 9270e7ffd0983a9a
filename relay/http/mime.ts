/** Media types by a path's extension. */

import mime from "mime";

/** Where the registered type is not what people mean: `.ts` is MPEG video to the registry. */
const OVERRIDES: ReadonlyMap<string, string> = new Map([
  ["ts", "text/typescript"],
  ["mts", "text/typescript"],
  ["cts", "text/typescript"],
  ["tsx", "text/typescript"],
  ["jsx", "text/javascript"],
]);

/** Types outside `text/` that are text. */
const TEXT_TYPES =
  /^(text\/.*|application\/(javascript|json|xml|x-sh|sql|toml|yaml)|.*\+(json|xml))$/;

/** The type of the file at `path`, without parameters; undefined if its extension says nothing. */
export function typeOf(path: string): string | undefined {
  const name = path.slice(path.lastIndexOf("/") + 1);
  const dot = name.lastIndexOf(".");
  const extension = name.slice(dot + 1).toLowerCase();
  if (dot <= 0) return undefined;
  return OVERRIDES.get(extension) ?? mime.getType(extension) ?? undefined;
}

/** Whether content of `type` (parameters are ignored) is text: it has a charset and is worth gzip. */
export function isText(type: string): boolean {
  return TEXT_TYPES.test(type.split(";", 1)[0].trim().toLowerCase());
}

/** The Content-Type for `type`: all text here is UTF-8 (a byte order mark overrules it anyway). */
export function contentType(type: string): string {
  return isText(type) ? `${type}; charset=utf-8` : type;
}
