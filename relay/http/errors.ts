/** Errors as responses: one status for each code, a sentence, never a stack trace. */

import { type Code, StreamoError } from "../../core/errors.ts";
import { wantsHtml } from "./accept.ts";

/** The HTTP status of every code. */
export const STATUS_OF: Readonly<Record<Code, number>> = {
  malformed: 400,
  too_large: 413,
  budget: 413,
  bad_signature: 422,
  bad_block: 422,
  wrong_key: 422,
  stale: 409,
  conflict: 409,
  missing_block: 503,
  not_found: 404,
  read_only: 403,
  damaged: 500,
  locked: 503,
  storage: 507,
  unreachable: 502,
  refused: 403,
  rate: 429,
  closed: 503,
  unsupported: 501,
};

/** The response for an error that a handler threw. What is not a StreamoError says nothing of itself. */
export function errorResponse(request: Request, error: unknown): Response {
  if (error instanceof StreamoError) {
    return faultResponse(request, STATUS_OF[error.code], error.code, error.message);
  }
  return faultResponse(request, 500, "internal", "the relay failed to answer this request");
}

/** A response that says what is wrong: JSON, or a small page for browsers. */
export function faultResponse(
  request: Request,
  status: number,
  code: string,
  message: string,
  headers: Readonly<Record<string, string>> = {},
): Response {
  const html = wantsHtml(request.headers.get("accept"));
  const body = html ? page(status, message) : `${JSON.stringify({ error: code, message })}\n`;
  return new Response(request.method === "HEAD" ? null : body, {
    status,
    headers: {
      "content-type": html ? "text/html; charset=utf-8" : "application/json",
      "cache-control": "no-cache",
      "vary": "Accept",
      "x-content-type-options": "nosniff",
      "access-control-allow-origin": "*",
      ...headers,
    },
  });
}

function page(status: number, message: string): string {
  const text = escapeHtml(message);
  return `<!doctype html><html lang="en"><meta charset="utf-8"><title>${status}</title>` +
    `<meta name="viewport" content="width=device-width"><h1>${status}</h1><p>${text}</p></html>\n`;
}

/** `text` as it stands in HTML, also inside quotes. */
export function escapeHtml(text: string): string {
  return text.replace(/[&<>"']/g, (character) => `&#${character.charCodeAt(0)};`);
}
