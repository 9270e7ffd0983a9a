/** Reading from web servers that are trusted with nothing: every answer is bounded. */

import { concat } from "../bytes.ts";
import { type Code, isCode, StreamoError } from "../errors.ts";
import { type Fetch, systemFetch } from "../platform.ts";

/** Most bytes of an answer that says what went wrong. */
const ERROR_MAX_BYTES = 16 * 1024;

/** GET requests below one URL. */
export class HttpClient {
  readonly #base: string;
  readonly #fetch: Fetch;

  /** Below `base`. */
  constructor(base: string, fetch: Fetch = systemFetch) {
    this.#base = base.replace(/\/+$/, "");
    this.#fetch = fetch;
  }

  /**
   * All bytes at `path`; undefined if the server does not have it. `unreachable` without an answer,
   * `too_large` past `maxBytes`, else the code that the server gives.
   */
  async get(path: string, maxBytes: number): Promise<Uint8Array | undefined> {
    const response = await this.#ask(path);
    if (response.status === 404) return await discard(response);
    if (response.status !== 200) throw await refusal(response);
    return await readBody(response, maxBytes);
  }

  /** Bytes [start, end) at `path`; undefined if the server does not have it, or not so many. */
  async range(path: string, start: number, end: number): Promise<Uint8Array | undefined> {
    const response = await this.#ask(path, { range: `bytes=${start}-${end - 1}` });
    if (response.status === 404 || response.status === 416) return await discard(response);
    if (response.status === 200) {
      await discard(response);
      throw new StreamoError("unsupported", "the server does not answer byte ranges");
    }
    if (response.status !== 206) throw await refusal(response);
    const bytes = await readBody(response, end - start);
    return bytes.length === end - start ? bytes : undefined;
  }

  async #ask(path: string, headers: Record<string, string> = {}): Promise<Response> {
    try {
      return await this.#fetch(`${this.#base}/${path}`, { headers });
    } catch (cause) {
      throw new StreamoError("unreachable", "the server does not answer", {}, { cause });
    }
  }
}

async function readBody(response: Response, maxBytes: number): Promise<Uint8Array> {
  const parts: Uint8Array[] = [];
  let length = 0;
  const reader = response.body?.getReader();
  while (reader !== undefined) {
    const { value } = await readPart(reader);
    if (value === undefined) break;
    length += value.length;
    if (length > maxBytes) {
      await reader.cancel();
      throw new StreamoError("too_large", `an answer has more than ${maxBytes} bytes`);
    }
    parts.push(value);
  }
  return parts.length === 1 ? parts[0] : concat(parts);
}

async function readPart(
  reader: ReadableStreamDefaultReader<Uint8Array>,
): Promise<{ value?: Uint8Array }> {
  try {
    return await reader.read();
  } catch (cause) {
    throw new StreamoError("unreachable", "an answer broke off", {}, { cause });
  }
}

async function discard(response: Response): Promise<undefined> {
  await response.body?.cancel();
}

async function refusal(response: Response): Promise<StreamoError> {
  const { status } = response;
  const text = new TextDecoder().decode(await readBody(response, ERROR_MAX_BYTES));
  const { code, message } = errorIn(text) ?? { code: "unreachable", message: "no reason given" };
  return new StreamoError(code, `the server answered ${status}: ${message}`, { status });
}

/** What a relay says of itself; other servers answer anything. */
function errorIn(text: string): { code: Code; message: string } | undefined {
  let said: unknown;
  try {
    said = JSON.parse(text);
  } catch (error) {
    if (error instanceof SyntaxError) return undefined;
    throw error;
  }
  if (typeof said !== "object" || said === null) return undefined;
  const { error, message } = said as { error?: unknown; message?: unknown };
  if (!isCode(error)) return undefined;
  return { code: error, message: typeof message === "string" ? message.slice(0, 1000) : error };
}
