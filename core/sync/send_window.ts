/** What was sent and is not acknowledged: at most so many bytes are on their way to a peer. */

/** Bytes on their way to a peer that it has not acknowledged. */
export const WINDOW_BYTES = 4 * 2 ** 20;

/** The frames of one channel that the peer has not acknowledged. */
export class SendWindow {
  readonly #frames: { readonly end: number; readonly bytes: number }[] = [];
  #bytes = 0;

  /** Whether nothing more is to be sent before the peer acknowledges something. */
  get isFull(): boolean {
    return this.#bytes >= WINDOW_BYTES;
  }

  /** A frame of `bytes` bytes was sent, with blocks up to `end`. */
  push(end: number, bytes: number): void {
    this.#frames.push({ end, bytes });
    this.#bytes += bytes;
  }

  /** The peer has so many blocks. */
  release(blocks: number): void {
    while (this.#frames.length > 0 && this.#frames[0].end <= blocks) {
      this.#bytes -= this.#frames.shift()!.bytes;
    }
  }

  /** What is on its way will be refused, or be sent again: no acknowledgement comes for it. */
  clear(): void {
    this.#frames.length = 0;
    this.#bytes = 0;
  }
}
