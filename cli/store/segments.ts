/** The numbered segment files of one epoch. */

import type { Crypto } from "../../core/identity/crypto.ts";
import type { Key } from "../../core/identity/key.ts";
import { encodeHeader, HEADER_BYTES, newSalt, readSalt } from "./frames.ts";
import { attempt, damagedError, type FilePool, fileSize, namesIn } from "./file_pool.ts";

/** A place between two frames. */
export interface Place {
  readonly segment: number;
  readonly position: number;
}

/** Where the first frame of an epoch lies. */
export const FIRST_PLACE: Place = { segment: 1, position: HEADER_BYTES };

/** Names, sizes and headers. */
export class Segments {
  readonly directory: string;
  readonly key: Key;
  readonly epoch: number;
  readonly files: FilePool;
  readonly crypto: Crypto;
  readonly #salts = new Map<number, Uint8Array>();
  #last: number;

  constructor(directory: string, key: Key, epoch: number, files: FilePool, crypto: Crypto) {
    this.directory = directory;
    this.key = key;
    this.epoch = epoch;
    this.files = files;
    this.crypto = crypto;
    this.#last = lastNumber(directory);
  }

  /** The highest number; 0 when there are no segments. */
  get last(): number {
    return this.#last;
  }

  /** The file of segment `number`. */
  path(number: number): string {
    return `${this.directory}/${String(number).padStart(4, "0")}.log`;
  }

  /** The bytes in segment `number` now. */
  size(number: number): number {
    return fileSize(this.path(number));
  }

  /** Up to `length` bytes of segment `number`. */
  read(number: number, position: number, length: number): Uint8Array<ArrayBuffer> {
    return this.files.read(this.path(number), position, length);
  }

  /**
   * The salt of segment `number`; undefined if its header was never wholly written. `damaged` if
   * it was, and changed.
   */
  salt(number: number): Uint8Array | undefined {
    const known = this.#salts.get(number);
    if (known !== undefined) return known;
    const header = this.read(number, 0, HEADER_BYTES);
    const salt = readSalt(header, { key: this.key, epoch: this.epoch, number }, this.crypto);
    if (salt !== undefined) {
      this.#salts.set(number, salt);
      return salt;
    }
    // A file system may have grown the file before the data arrived: that leaves zeros.
    if (header.length < HEADER_BYTES || header.every((byte) => byte === 0)) return undefined;
    throw damagedError(this.path(number), "its header is not that of this segment");
  }

  /** A next segment, whose salt is known from now on. */
  startNext(): { segment: number; position: number; header: Uint8Array; salt: Uint8Array } {
    const number = this.#last + 1;
    const salt = newSalt();
    const { key, epoch } = this;
    const header = encodeHeader({ key, epoch, number, salt }, this.crypto);
    this.#salts.set(number, salt);
    this.#last = number;
    return { segment: number, position: 0, header, salt };
  }

  /** Removes everything after `place`: segments with a higher number, and the rest of this one. */
  cutAfter(place: Place): void {
    for (; this.#last > place.segment; this.#last--) this.#remove(this.#last);
    if (this.#last > 0 && this.size(this.#last) > place.position) {
      this.files.truncate(this.path(this.#last), place.position);
    }
  }

  #remove(number: number): void {
    const path = this.path(number);
    this.#salts.delete(number);
    this.files.release(path);
    attempt("remove", path, () => {
      try {
        Deno.removeSync(path);
      } catch (error) {
        // The write that failed may not have come as far as creating it.
        if (!(error instanceof Deno.errors.NotFound)) throw error;
      }
    });
  }
}

function lastNumber(directory: string): number {
  const numbers = namesIn(directory)
    .map((name) => /^(\d{4,9})\.log$/.exec(name)?.[1])
    .filter((digits) => digits !== undefined)
    .map(Number)
    .sort((a, b) => a - b);
  numbers.forEach((number, i) => {
    if (number !== i + 1) throw damagedError(directory, `segment ${i + 1} is missing`);
  });
  return numbers.length;
}
