/** A relay's HTTP side as a source of blocks: one request for a head, a block, or a proof. */

import { toHex } from "../bytes.ts";
import type { Key } from "../identity/key.ts";
import { decodeHead, HEAD_BYTES, type SignedHead } from "../log/head.ts";
import type { BlockSource, LogTree, ProvenBlocks } from "../log/source.ts";
import type { Fetch } from "../platform.ts";
import { FRAME_MAX_BYTES } from "./frame.ts";
import { HttpClient } from "./http_client.ts";
import { decodeHashes, decodeProven } from "./proof_body.ts";

/** Reads from `/streams/KEY/head` and `/streams/KEY/proof` of one relay. */
export class HttpSource implements BlockSource {
  readonly name: string;
  readonly #http: HttpClient;

  /** The relay at `url`, such as `https://relay.example`. */
  constructor(url: string, options: { readonly fetch?: Fetch } = {}) {
    this.name = url;
    this.#http = new HttpClient(url, options.fetch);
  }

  async head(key: Key): Promise<SignedHead | undefined> {
    const bytes = await this.#http.get(`streams/${key}/head`, HEAD_BYTES);
    return bytes && decodeHead(bytes);
  }

  async blocks(log: LogTree, first: number, end: number): Promise<ProvenBlocks | undefined> {
    const bytes = await this.#proof(log, `first=${first}&end=${end}`);
    return bytes && decodeProven(bytes);
  }

  async blockAt(log: LogTree, address: number): Promise<ProvenBlocks | undefined> {
    const bytes = await this.#proof(log, `at=${address}`);
    return bytes && decodeProven(bytes);
  }

  async consistency(log: LogTree, older: number): Promise<Uint8Array[] | undefined> {
    const bytes = await this.#proof(log, `older=${older}`);
    return bytes && decodeHashes(bytes);
  }

  /** The root is in the URL, so what is there never changes: caches on the way may keep it. */
  #proof({ key, epoch, blocks, root }: LogTree, what: string): Promise<Uint8Array | undefined> {
    const log = `epoch=${epoch}&blocks=${blocks}&root=${toHex(root)}`;
    return this.#http.get(`streams/${key}/proof?${log}&${what}`, FRAME_MAX_BYTES);
  }
}
