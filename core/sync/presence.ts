/** Who is at the other end of a connection, and what the two tell each other besides logs. */

import type { Crypto } from "../identity/crypto.ts";
import { defaultCrypto } from "../identity/default_crypto.ts";
import type { Signer } from "../identity/signer.ts";
import { type RandomBytes, systemRandomBytes } from "../platform.ts";
import { Identification } from "./auth.ts";
import type { Auth, Message, Refusal, TopicMessage, TopicNews } from "./messages.ts";
import type { Seat, Topics } from "./topics.ts";

/** What two peers may tell each other besides logs. */
export interface PresenceOptions {
  /**
   * Name and port of the side that was dialled, where both sides know it: see {@link hostOf}. Without
   * it nobody can show who they are.
   */
  readonly host?: string;
  /** What the peer may be interested in, announce under and cast to. */
  readonly topics?: Topics;
  /** Checks what the peer claims; the best of this platform by default. */
  readonly crypto?: Crypto;
  /** Makes the challenge; the platform's by default. */
  readonly randomBytes?: RandomBytes;
  /** The peer tells of a topic, or does not do what it was asked. */
  readonly onNews?: (news: TopicNews | Refusal) => void;
}

/** The connection underneath. */
interface Wire {
  send(message: Message | string): void;
  bufferedBytes(): number;
}

/** One connection's part that is about no log. */
export class Presence {
  /** Who the peer has shown to be. */
  readonly identification: Identification;
  readonly #options: PresenceOptions;
  readonly #wire: Wire;
  /** Taken when the peer first asks for a topic: most connections never do. */
  #seat: Seat | undefined;
  #hasLeft = false;

  /** Makes up this side's challenge. */
  constructor(options: PresenceOptions, wire: Wire) {
    const { host, crypto = defaultCrypto(), randomBytes = systemRandomBytes } = options;
    const refuse = (refusal: Refusal) => wire.send(refusal);
    this.identification = new Identification({ host, crypto, randomBytes, refuse });
    this.#options = options;
    this.#wire = wire;
  }

  /** Shows the peer that this side holds `signer`. */
  async authenticate(signer: Signer): Promise<void> {
    const claim = await this.identification.claim(signer);
    if (claim !== undefined) this.#wire.send(claim);
  }

  /** Takes a message that is about no log. */
  take(message: Auth | TopicMessage | TopicNews | Refusal): void {
    switch (message.type) {
      case "auth":
        return this.identification.judge(message);
      case "interest":
      case "uninterest":
      case "announce":
      case "withdraw":
      case "cast":
        return this.identification.whenJudged(() => this.#ask(message));
      default:
        return this.#options.onNews?.(message);
    }
  }

  #ask(message: TopicMessage): void {
    if (this.#hasLeft) return;
    const { keys } = this.identification;
    this.#seat ??= this.#options.topics?.join({ keys, ...this.#wire });
    if (this.#seat !== undefined) return this.#seat.take(message);
    const { type: of, topic } = message;
    const text = "this peer has no topics";
    const code = "unsupported";
    this.#wire.send({ type: "refuse", of, code, message: text, topic, key: undefined });
  }

  /** The connection has ended. */
  leave(): void {
    this.#hasLeft = true;
    this.#seat?.leave();
  }
}
