/** Keeps what waits for a peer that reads slowly within bounds. */

import type { Transport } from "./transport.ts";

/** Bytes that wait for a slow peer before no more blocks are sent to it. */
export const ROOM_BYTES = 16 * 2 ** 20;

/** Who sends what may be much, such as a channel. */
export interface Sender {
  /** There is room again. */
  resume(): void;
}

/** See the head of this file. */
export class Room {
  readonly #transport: Transport;
  readonly #ping: () => void;
  /** Those who have something to send when the peer has read what it was sent. */
  readonly #stalled = new Set<Sender>();
  #isProbing = false;

  /** `ping` makes the peer answer when it has read everything before it. */
  constructor(transport: Transport, ping: () => void) {
    this.#transport = transport;
    this.#ping = ping;
  }

  /** Whether `sender` may send; if not, it is resumed when it may. */
  has(sender: Sender): boolean {
    if (this.#transport.bufferedBytes < ROOM_BYTES) return true;
    this.#probe();
    this.#stalled.add(sender);
    return false;
  }

  /** The sender has nothing to send any more. */
  delete(sender: Sender): void {
    this.#stalled.delete(sender);
  }

  /** The peer has answered. */
  onPong(): void {
    this.#isProbing = false;
  }

  /** Something was heard: resumes what waits, if there is room. */
  resume(): void {
    if (this.#stalled.size === 0) return;
    if (this.#transport.bufferedBytes >= ROOM_BYTES) return this.#probe();
    const stalled = [...this.#stalled];
    this.#stalled.clear();
    for (const sender of stalled) sender.resume();
  }

  #probe(): void {
    if (this.#isProbing) return;
    this.#isProbing = true;
    this.#ping();
  }
}
