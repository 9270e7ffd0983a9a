/** Tells other devices of a key that this one is there, and finds them. */

import {
  type Announcement,
  decodeAnnouncements,
  type DnsRecord,
  encodeAnnouncement,
  SERVICE,
  tagOf,
} from "./announcement.ts";
import { Multicast } from "./multicast.ts";

/** It asks after so many milliseconds from the last time; then always after the last one. */
const QUERY_MS = [0, 1_000, 3_000, 9_000, 20_000];
/** Between two announcements: RFC 6762 section 6. */
const QUIET_MS = 1_000;
/** A device that has not been heard for three questions in a row is gone. */
const GONE_MS = 65_000;

/** What a {@link Discovery} needs. */
export interface DiscoveryOptions {
  /** What only devices of one key have: see {@link lanSecret}. */
  readonly secret: Uint8Array;
  /** Another one after each start: 1 to 32 digits and letters a to z. */
  readonly name: string;
  /** Where this device listens. */
  readonly port: number;
  /** Called at first, and for every address more. */
  readonly onFound: (name: string, address: string, port: number) => void;
  readonly onGone: (name: string) => void;
  /** There is no multicast. */
  readonly onNone: (reason: string) => void;
}

/** See the head of this file. */
export class Discovery {
  readonly #options: DiscoveryOptions;
  readonly #own: Announcement;
  readonly #multicast: Multicast;
  /** When devices were heard last. */
  readonly #heard = new Map<string, number>();
  #queries = 0;
  #queryTimer: ReturnType<typeof setTimeout> | undefined;
  #announceTimer: ReturnType<typeof setTimeout> | undefined;
  #announcedAt = -Infinity;

  /** Begins to ask and to tell. */
  constructor(options: DiscoveryOptions) {
    const { secret, name, port } = options;
    this.#options = options;
    this.#own = { name, tag: tagOf(secret, name), port, isGoodbye: false };
    this.#multicast = new Multicast({
      onQuery: (questions) => {
        if (questions.some(({ name }) => name === SERVICE)) this.#announce();
      },
      onRecords: (records, address) => this.#onRecords(records, address),
      onInterface: () => this.ask(),
      onNone: options.onNone,
    });
  }

  /** Asks again from now on, often at first. */
  ask(): void {
    this.#queries = 0;
    this.#ask();
    this.#announce();
  }

  /** Says goodbye. */
  async close(): Promise<void> {
    clearTimeout(this.#queryTimer);
    clearTimeout(this.#announceTimer);
    await this.#multicast.respond(encodeAnnouncement({ ...this.#own, isGoodbye: true }));
    await this.#multicast.close();
  }

  #ask(): void {
    clearTimeout(this.#queryTimer);
    const delay = QUERY_MS[Math.min(this.#queries++, QUERY_MS.length - 1)];
    this.#queryTimer = setTimeout(() => {
      this.#multicast.query(SERVICE);
      const now = performance.now();
      for (const [name, at] of this.#heard) if (now - at > GONE_MS) this.#gone(name);
      this.#ask();
    }, delay);
  }

  #announce(): void {
    if (this.#announceTimer !== undefined) return;
    const delay = Math.max(0, this.#announcedAt + QUIET_MS - performance.now());
    this.#announceTimer = setTimeout(() => {
      this.#announceTimer = undefined;
      this.#announcedAt = performance.now();
      void this.#multicast.respond(encodeAnnouncement(this.#own));
    }, delay);
  }

  #onRecords(records: readonly DnsRecord[], address: string): void {
    for (const { name, tag, port, isGoodbye } of decodeAnnouncements(records)) {
      if (name === this.#own.name || tag !== tagOf(this.#options.secret, name)) continue;
      if (isGoodbye) {
        this.#gone(name);
        continue;
      }
      this.#heard.set(name, performance.now());
      this.#options.onFound(name, address, port);
    }
  }

  #gone(name: string): void {
    if (this.#heard.delete(name)) this.#options.onGone(name);
  }
}
