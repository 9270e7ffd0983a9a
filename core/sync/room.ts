/** Keeps what waits for a peer that reads slowly, or stores slowly, within bounds. */

import type { Transport } from "./transport.ts";

/** Bytes that wait for a slow peer before no more blocks are sent to it. */
export const ROOM_BYTES = 16 * 2 ** 20;

/**
 * Bytes of frames of all channels on their way to a peer that acknowledges each when it is stored: what
 * it has read waits in its memory.
 */
const UNACKNOWLEDGED_BYTES = 16 * 2 ** 20;

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
  #unacknowledged = 0;

  /** `ping` makes the peer answer when it has read everything before it. */
  constructor(transport: Transport, ping: () => void) {
    this.#transport = transport;
    this.#ping = ping;
  }

  /** Whether `sender` may send while less than `most` bytes wait; if not, it is resumed when it may. */
  has(sender: Sender, most: number = ROOM_BYTES): boolean {
    const isRead = this.#transport.bufferedBytes < most;
    if (isRead && this.#unacknowledged < UNACKNOWLEDGED_BYTES) return true;
    if (!isRead) this.#probe();
    this.#stalled.add(sender);
    return false;
  }

  /** The sender has nothing to send any more. */
  delete(sender: Sender): void {
    this.#stalled.delete(sender);
  }

  /** So many bytes more are on their way, or fewer. */
  count(bytes: number): void {
    this.#unacknowledged += bytes;
    if (bytes < 0) this.resume();
  }

  /** The peer has answered. */
  onPong(): void {
    this.#isProbing = false;
  }

  /** Something was heard: resumes what waits, if there is room. */
  resume(): void {
    if (this.#stalled.size === 0) return;
    if (this.#transport.bufferedBytes >= ROOM_BYTES) return this.#probe();
    // Many may wait: they are not all asked again for every frame.
    if (this.#unacknowledged > UNACKNOWLEDGED_BYTES / 2) return;
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
