/** What a conversation needs of a connection: messages that arrive whole and in order, or not at all. */

/** One end of a connection. */
export interface Transport {
  /** Text carries control messages, bytes carry blocks. Ignored after the end. */
  send(data: string | Uint8Array): void;
  /** Bytes handed over and not sent yet. */
  readonly bufferedBytes: number;
  /** Ends the connection; a code of RFC 6455 and a reason for people. */
  close(code?: number, reason?: string): void;
  /** Called for every message; set before the first can arrive. */
  onMessage: (data: string | Uint8Array) => void;
  /** Called once at the end, whoever caused it. */
  onClose: (reason: string) => void;
}

/** Two ends in one process. Messages arrive in later microtasks, as they would from a network. */
export function transportPair(): [Transport, Transport] {
  const ends = [new PairEnd(), new PairEnd()] as const;
  ends[0].other = ends[1];
  ends[1].other = ends[0];
  return [ends[0], ends[1]];
}

class PairEnd implements Transport {
  other!: PairEnd;
  onMessage: (data: string | Uint8Array) => void = () => {};
  onClose: (reason: string) => void = () => {};
  readonly bufferedBytes = 0;
  #closed = false;

  send(data: string | Uint8Array): void {
    if (this.#closed) return;
    const copy = typeof data === "string" ? data : data.slice();
    queueMicrotask(() => this.other.#deliver(copy));
  }

  close(_code?: number, reason = "closed"): void {
    if (this.#closed) return;
    this.#end(reason);
    queueMicrotask(() => this.other.#end(reason));
  }

  #deliver(data: string | Uint8Array): void {
    if (!this.#closed) this.onMessage(data);
  }

  #end(reason: string): void {
    if (this.#closed) return;
    this.#closed = true;
    this.onClose(reason);
  }
}
