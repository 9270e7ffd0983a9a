/** A relay's HTTP side as a source of blocks: one request for a head with its end, or for a reading. */

import { toHex } from "../hex.ts";
import type { Reading } from "../codec/reading.ts";
import type { Key } from "../identity/key.ts";
import type { BlockSource, LogTree, Newest, ProvenBlocks } from "../log/source.ts";
import type { Fetch } from "../platform.ts";
import { readingText } from "./ask.ts";
import { FRAME_MAX_BYTES } from "./frame.ts";
import { HttpClient } from "./http_client.ts";
import { decodeNewest, decodeProven } from "./proof_body.ts";

/** Reads from `/streams/KEY/proof` of one relay. */
export class HttpSource implements BlockSource {
  readonly name: string;
  readonly #http: HttpClient;

  /** The relay at `url`, such as `https://relay.example`. */
  constructor(url: string, options: { readonly fetch?: Fetch } = {}) {
    this.name = url;
    this.#http = new HttpClient(url, options.fetch);
  }

  async newest(key: Key, held: LogTree | undefined): Promise<Newest | undefined> {
    const bytes = await this.#proof(key, held === undefined ? "" : `?${logQuery(held)}`);
    return bytes && decodeNewest(bytes);
  }

  async blocks(log: LogTree, first: number, end: number): Promise<ProvenBlocks | undefined> {
    const bytes = await this.#proof(log.key, `?${logQuery(log)}&first=${first}&end=${end}`);
    return bytes && decodeProven(bytes);
  }

  async blockAt(
    log: LogTree,
    address: number,
    reading?: Reading,
  ): Promise<ProvenBlocks | undefined> {
    const text = readingText(reading);
    const what = text === undefined ? "" : `&reading=${encodeURIComponent(text)}`;
    const bytes = await this.#proof(log.key, `?${logQuery(log)}&at=${address}${what}`);
    return bytes && decodeProven(bytes);
  }

  #proof(key: Key, query: string): Promise<Uint8Array | undefined> {
    return this.#http.get(`streams/${key}/proof${query}`, FRAME_MAX_BYTES);
  }
}

/** The root is in the URL: what is asked of a log never changes, and caches on the way may keep it. */
function logQuery({ epoch, blocks, root }: LogTree): string {
  return `epoch=${epoch}&blocks=${blocks}&root=${toHex(root)}`;
}
