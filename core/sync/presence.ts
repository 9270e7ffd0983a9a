/** Who is at the other end of a connection, and what the two tell each other besides logs. */

import type { Value } from "../codec/value.ts";
import { StreamoError } from "../errors.ts";
import type { Key } from "../identity/key.ts";
import type { Signer } from "../identity/signer.ts";
import { Identification, type IdentificationOptions } from "./auth.ts";
import { decodeCast, encodeCast } from "./cast_value.ts";
import type { Auth, Hello, Message, Refusal, TopicMessage, TopicNews } from "./messages.ts";
import type { SessionEvents } from "./session_status.ts";
import type { Seat, TopicLink, TopicPeer } from "./topic_members.ts";
import type { Topics } from "./topics.ts";

/** What two peers may tell each other besides logs. */
export interface PresenceOptions extends IdentificationOptions {
  /** What the peer may be interested in, announce under and cast to. */
  readonly topics?: Topics;
  /** Passes on what is said under them to the peer, a relay that this process asks, and from there. */
  readonly link?: Topics;
  /** The peer tells what is announced, or does not do what it was asked. */
  readonly onNews?: (news: Exclude<TopicNews, { type: "heard" }> | Refusal) => void;
  /** Somebody has cast something. */
  readonly onCast?: (event: SessionEvents["cast"]) => void;
}

/** The connection underneath. */
interface Wire {
  send(message: Message | string): void;
  readonly bufferedBytes: number;
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
  #link: TopicLink | undefined;
  /** What the peer is called, if it is a relay. */
  #relay: string | undefined;
  #hasLeft = false;

  /** Makes up this side's challenge. */
  constructor(options: PresenceOptions, wire: Wire) {
    this.identification = new Identification(options, wire);
    this.#options = options;
    this.#wire = wire;
  }

  /** What the peer is called in `via`, if it is a relay and has said hello. */
  get relay(): string | undefined {
    return this.#relay;
  }

  /** The peer has said hello. */
  greet({ challenge, relay }: Hello): void {
    this.identification.greet(challenge);
    this.#relay = relay;
    const { link } = this.#options;
    // A relay that was told to ask itself has nothing to tell itself.
    if (relay !== link?.name) this.#link = link?.link(this.#peer());
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
      case "refuse":
        return this.#options.onNews?.(message);
      case "heard":
        return this.#link === undefined ? this.#hear(message) : this.#link.hear(message);
      default:
        return this.#link === undefined
          ? this.#options.onNews?.(message)
          : this.#link.hear(message);
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
    this.#seat ??= this.#options.topics?.join(this.#peer());
    if (this.#seat !== undefined) return this.#seat.take(message);
    const { type: of, topic } = message;
    const text = "this peer has no topics";
    const code = "unsupported";
    this.#wire.send({ type: "refuse", of, code, message: text, topic, key: undefined });
  }

  #peer(): TopicPeer {
    const [wire, { identification }] = [this.#wire, this];
    return {
      get keys() {
        return identification.keys;
      },
      send: (text) => wire.send(text),
      bufferedBytes: () => wire.bufferedBytes,
      relay: this.#relay,
    };
  }

  /** The connection has ended. */
  leave(): void {
    this.#hasLeft = true;
    this.#seat?.leave();
    this.#link?.leave();
  }
}
