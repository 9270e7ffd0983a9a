/** Keeps what waits for a peer that reads slowly within bounds. */

import type { Channel } from "./channel.ts";
import type { Transport } from "./transport.ts";

/** Bytes that wait for a slow peer before no more blocks are sent to it. */
export const ROOM_BYTES = 16 * 2 ** 20;

/** See the head of this file. */
export class Room {
  readonly #transport: Transport;
  readonly #ping: () => void;
  /** Channels that have blocks to send when the peer has read what it was sent. */
  readonly #stalled = new Set<Channel>();
  #isProbing = false;

  /** `ping` makes the peer answer when it has read everything before it. */
  constructor(transport: Transport, ping: () => void) {
    this.#transport = transport;
    this.#ping = ping;
  }

  /** Whether `channel` may send blocks; if not, it is resumed when it may. */
  has(channel: Channel): boolean {
    if (this.#transport.bufferedBytes < ROOM_BYTES) return true;
    this.#probe();
    this.#stalled.add(channel);
    return false;
  }

  /** The channel has nothing to send any more. */
  delete(channel: Channel): void {
    this.#stalled.delete(channel);
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
    for (const channel of stalled) channel.resume();
  }

  #probe(): void {
    if (this.#isProbing) return;
    this.#isProbing = true;
    this.#ping();
  }
}
