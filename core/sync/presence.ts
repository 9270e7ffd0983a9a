/** Who is at the other end of a connection, and what the two tell each other besides logs. */

import type { Value } from "../codec/value.ts";
import { StreamoError } from "../errors.ts";
import type { Crypto } from "../identity/crypto.ts";
import { defaultCrypto } from "../identity/default_crypto.ts";
import type { Key } from "../identity/key.ts";
import type { Signer } from "../identity/signer.ts";
import { type RandomBytes, systemRandomBytes } from "../platform.ts";
import { hostOf, Identification } from "./auth.ts";
import { decodeCast, encodeCast } from "./cast_value.ts";
import type { Auth, Message, Refusal, TopicMessage, TopicNews } from "./messages.ts";
import type { SessionEvents } from "./session_status.ts";
import type { Seat, Topics } from "./topics.ts";

/** What two peers may tell each other besides logs. */
export interface PresenceOptions {
  /**
   * Name and port of the side that was dialled, where both sides know it. Without it nobody can show
   * who they are.
   */
  readonly host?: string;
  /** What the peer may be interested in, announce under and cast to. */
  readonly topics?: Topics;
  /** Checks what the peer claims; the best of this platform by default. */
  readonly crypto?: Crypto;
  /** Makes the challenge; the platform's by default. */
  readonly randomBytes?: RandomBytes;
  /** The peer tells what is announced, or does not do what it was asked. */
  readonly onNews?: (news: Exclude<TopicNews, { type: "heard" }> | Refusal) => void;
  /** Somebody has cast something. */
  readonly onCast?: (event: SessionEvents["cast"]) => void;
}

/** The connection underneath. */
interface Wire {
  send(message: Message | string): void;
  bufferedBytes(): number;
  /** Runs `work`; what fails ends the connection. */
  guard(work: () => void): void;
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
    const { crypto = defaultCrypto(), randomBytes = systemRandomBytes } = options;
    const host = options.host && hostOf(`http://${options.host}`);
    const refuse = (refusal: Refusal) => wire.send(refusal);
    this.identification = new Identification({ host, crypto, randomBytes, refuse });
    this.#options = options;
    this.#wire = wire;
  }

  /** Shows the peer that this side holds `signers`. */
  async authenticate(signers: readonly Signer[]): Promise<void> {
    for (const signer of signers) {
      const claim = await this.identification.claim(signer);
      if (claim !== undefined) this.#wire.send(claim);
    }
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
        return this.identification.whenJudged(() => this.#wire.guard(() => this.#answer(message)));
      case "heard":
        return this.#hear(message);
      default:
        return this.#options.onNews?.(message);
    }
  }

  /** Asks the peer to do something about a topic. */
  ask(message: TopicMessage): void {
    this.#wire.send(message);
  }

  /** Casts a value. */
  cast(topic: string, value: unknown, by: Key | undefined): void {
    this.#wire.send({ type: "cast", topic, data: encodeCast(value), by });
  }

  #hear({ topic, data, by }: Extract<TopicNews, { type: "heard" }>): void {
    const { onCast, onNews } = this.#options;
    let value: Value;
    try {
      value = decodeCast(data);
    } catch (error) {
      if (!(error instanceof StreamoError)) throw error;
      // Not the peer's mistake, which only passes it on: nothing ends because of it.
      const message = `a cast under "${topic}" cannot be read: ${error.message}`;
      return onNews?.({ type: "refuse", of: "cast", code: error.code, message, topic, key: by });
    }
    onCast?.({ topic, data: value, by });
  }

  #answer(message: TopicMessage): void {
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
