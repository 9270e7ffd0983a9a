/** `/streams/KEY`: a repo's value, or a part of it, as JSON. */

import { type Path, pathText, type Step } from "../../core/codec/value.ts";
import type { Budget } from "../../core/codec/decode.ts";
import { StreamoError } from "../../core/errors.ts";
import type { Snapshot } from "../../core/repo/snapshot.ts";
import { bytesBody, respond } from "../http/respond.ts";
import { pickState } from "../site/state.ts";
import { addressTag, type View } from "../views.ts";
import { jsonText } from "./json.ts";

/** How much one value may take. */
export interface ValueLimits extends Budget {
  /** Characters of JSON. */
  readonly characters: number;
}

/** Steps of a path that a URL may name. */
const MAX_STEPS = 500;

/**
 * Answers with the value at `?path=` (`a.b.0`, or a JSON array of keys and indices) as of `?at=`.
 * `not_found`, `malformed`, `budget`.
 */
export async function serveValue(
  request: Request,
  view: View,
  limits: ValueLimits,
): Promise<Response> {
  const query = new URL(request.url).searchParams;
  const { snapshot, immutable } = await pickState(view, query);
  const { repo, key } = view;
  const path = await repo.read(() => parsePath(snapshot, query.get("path")));
  const stat = await repo.read(() => snapshot.stat(...path));
  if (stat === undefined) {
    throw new StreamoError("not_found", `there is nothing at ${pathText(path)}`);
  }
  const open = async () => {
    const parts = await repo.read(() => jsonText(snapshot.value(path, limits), limits.characters));
    return new TextEncoder().encode(`${parts.join("")}\n`);
  };
  const type = "application/json";
  if (stat.address !== undefined) {
    const tag = `${await addressTag(view, stat.address)}.json`;
    return await respond(request, {
      type,
      tag,
      immutable,
      open: async () => bytesBody(await open()),
    });
  }
  const bytes = await open();
  const hash = new Uint8Array(await crypto.subtle.digest("SHA-256", bytes));
  const tag = `${key}.${hash.subarray(0, 16).toHex()}.json`;
  return await respond(request, { type, tag, immutable, open: () => bytesBody(bytes) });
}

/** The path that `text` means in `snapshot`: digits are an index where there is a list. */
function parsePath(snapshot: Snapshot, text: string | null): Path {
  if (text === null || text === "") return [];
  if (text.startsWith("[")) return parseArray(text);
  const path: Step[] = [];
  for (const part of text.split(".", MAX_STEPS + 1)) {
    const isIndex = /^\d{1,15}$/.test(part) && snapshot.stat(...path)?.kind === "list";
    path.push(isIndex ? Number(part) : part);
  }
  return checked(path, text);
}

function parseArray(text: string): Path {
  try {
    return checked(JSON.parse(text), text);
  } catch (error) {
    if (error instanceof SyntaxError) throw malformed(text, error);
    throw error;
  }
}

function checked(path: unknown, text: string): Path {
  const isStep = (step: unknown) => typeof step === "string" || typeof step === "number";
  if (!Array.isArray(path) || path.length > MAX_STEPS || !path.every(isStep)) throw malformed(text);
  return path;
}

function malformed(text: string, cause?: unknown): StreamoError {
  const message = `not a path: "${text.slice(0, 80)}" (such as a.b.0 or ["a","b",0])`;
  return new StreamoError("malformed", message, {}, { cause });
}
