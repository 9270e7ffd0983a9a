/** What was sent and is not acknowledged: at most so many bytes are on their way to a peer. */

import { ROOM_BYTES } from "./room.ts";

/** Bytes on their way to a peer that it has not acknowledged. */
export const WINDOW_BYTES = 4 * 2 ** 20;

/** What may follow frames that were sent in vain, while there is room: enough to be acknowledged. */
const PROBE_BYTES = 2 ** 19;

/** The frames of one channel that the peer has not acknowledged. */
export class SendWindow {
  readonly #onChange: ((bytes: number) => void) | undefined;
  readonly #frames: { readonly end: number; readonly bytes: number }[] = [];
  #bytes = 0;
  /** Bytes sent in vain that may still be on their way: until the peer acknowledges what came after. */
  #vainBytes = 0;

  /** `onChange` hears how many bytes more are on their way. */
  constructor(onChange?: (bytes: number) => void) {
    this.#onChange = onChange;
  }

  /** Whether nothing more is to be sent before the peer acknowledges something. */
  get isFull(): boolean {
    return this.#bytes >= Math.max(WINDOW_BYTES - this.#vainBytes, PROBE_BYTES);
  }

  /** How many bytes may wait for the peer to read them before more are sent: what is in vain adds up. */
  get roomBytes(): number {
    return this.#vainBytes > 0 ? WINDOW_BYTES : ROOM_BYTES;
  }

  /** A frame of `bytes` bytes was sent, with blocks up to `end`. */
  push(end: number, bytes: number): void {
    this.#frames.push({ end, bytes });
    this.#add(bytes);
  }

  /** The peer has so many blocks. */
  release(blocks: number): void {
    let released = 0;
    while (this.#frames.length > 0 && this.#frames[0].end <= blocks) {
      released += this.#frames.shift()!.bytes;
      this.#vainBytes = 0;
    }
    this.#add(-released);
  }

  /** What is on its way will be refused, or be sent again: no acknowledgement comes for it. */
  clear(): void {
    this.#frames.length = 0;
    this.#vainBytes += this.#bytes;
    this.#add(-this.#bytes);
  }

  #add(bytes: number): void {
    this.#bytes += bytes;
    if (bytes !== 0) this.#onChange?.(bytes);
  }
}
