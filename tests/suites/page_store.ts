/** A store that lives in a page, used from here: every call crosses over to the browser. */

import type { Block } from "../../core/log/block.ts";
import { fromHex, toHex } from "../../core/hex.ts";
import { isCode, StreamoError } from "../../core/errors.ts";
import type { Key } from "../../core/identity/key.ts";
import type { Store, StoredHead } from "../../core/log/store.ts";
import type { Page } from "./browser.ts";

/** What the page runs to answer {@link PageStore}. Bytes are `{ hex }` in JSON on the way. */
export const STORE_SCRIPT = `
  const { IndexedDbStore } = await import("@streamo/streamo/web");
  const toHex = (bytes) => Array.from(bytes, (b) => b.toString(16).padStart(2, "0")).join("");
  const fromHex = (hex) => Uint8Array.from(hex.match(/../g) ?? [], (b) => parseInt(b, 16));
  const encode = (value) =>
    JSON.stringify(value, (_, v) => v instanceof Uint8Array ? { hex: toHex(v) } : v);
  const decode = (text) =>
    JSON.parse(text, (_, v) => typeof v?.hex === "string" ? fromHex(v.hex) : v);
  const stores = new Map();
  globalThis.callStore = async (text) => {
    const { id, method, args } = decode(text);
    const items = [];
    try {
      const given = args.map((arg) => arg ?? undefined);
      if (method === "open") {
        stores.set(id, await IndexedDbStore.open(...given));
        return encode({});
      }
      const result = stores.get(id)[method](...given);
      if (result[Symbol.asyncIterator] === undefined) return encode({ value: await result });
      for await (const item of result) items.push(item);
      return encode({ items });
    } catch (error) {
      return encode({ items, name: error.name, code: error.code, message: error.message });
    }
  };
`;

/** See {@link STORE_SCRIPT}. */
export class PageStore implements Store {
  readonly #page: Page;
  readonly #id: string;

  private constructor(page: Page, id: string) {
    this.#page = page;
    this.#id = id;
  }

  /** Opens the database `name` in the page. */
  static async open(page: Page, name: string): Promise<PageStore> {
    const store = new PageStore(page, crypto.randomUUID());
    await store.#call("open", { name });
    return store;
  }

  head(key: Key): Promise<StoredHead | undefined> {
    return this.#call("head", key);
  }

  append(
    key: Key,
    expected: StoredHead | undefined,
    blocks: readonly Block[],
    next: StoredHead,
  ): Promise<void> {
    return this.#call("append", key, expected, blocks, next);
  }

  async *blocks(key: Key, epoch: number, from: number, to: number): AsyncIterable<Block> {
    yield* this.#list<Block>("blocks", key, epoch, from, to);
  }

  blockAt(key: Key, epoch: number, address: number): Promise<Block | undefined> {
    return this.#call("blockAt", key, epoch, address);
  }

  hashes(key: Key, epoch: number, from: number, to: number): Promise<Uint8Array> {
    return this.#call("hashes", key, epoch, from, to);
  }

  async *keys(): AsyncIterable<Key> {
    yield* this.#list<Key>("keys");
  }

  drop(key: Key, beforeEpoch: number): Promise<void> {
    return this.#call("drop", key, beforeEpoch);
  }

  asides(key: Key): Promise<string[]> {
    return this.#call("asides", key);
  }

  aside(key: Key, name: string): Promise<Uint8Array | undefined> {
    return this.#call("aside", key, name);
  }

  keepAside(key: Key, name: string, bytes: Uint8Array | undefined): Promise<void> {
    return this.#call("keepAside", key, name, bytes);
  }

  close(): Promise<void> {
    return this.#call("close");
  }

  async #call<T>(method: string, ...args: unknown[]): Promise<T> {
    const answer = await this.#ask(method, args);
    failIf(answer);
    return answer.value as T;
  }

  /** What came before an error is given first. */
  async *#list<T>(method: string, ...args: unknown[]): AsyncIterable<T> {
    const answer = await this.#ask(method, args);
    yield* answer.items as T[];
    failIf(answer);
  }

  async #ask(method: string, args: unknown[]): Promise<Answer> {
    const asked = encode({ id: this.#id, method, args });
    const text = await this.#page.evaluate(`callStore(${JSON.stringify(asked)})`);
    return decode(text as string);
  }
}

interface Answer {
  readonly value?: unknown;
  readonly items?: unknown[];
  readonly name?: string;
  readonly code?: string;
  readonly message?: string;
}

function failIf({ name, code, message = "" }: Answer): void {
  if (name === undefined) return;
  if (isCode(code)) throw new StreamoError(code, message);
  throw name === "RangeError" ? new RangeError(message) : new Error(`${name}: ${message}`);
}

function encode(value: unknown): string {
  return JSON.stringify(
    value,
    (_, inner) => inner instanceof Uint8Array ? { hex: toHex(inner) } : inner,
  );
}

function decode(text: string): Answer {
  return JSON.parse(text, (_, inner) => {
    return typeof inner?.hex === "string" ? fromHex(inner.hex) : inner;
  });
}
