/** What is said about topics to a relay that this process asks, at a pace that it takes. */

import type { Clock, Timer } from "../platform.ts";
import type { TopicMessage } from "./messages.ts";
import { TokenBucket } from "./token_bucket.ts";
import type { TopicPeerLimits } from "./topic_limits.ts";

/** What is too much now is said after so long. */
const PACE_MS = 500;

type Of<Type extends TopicMessage["type"]> = Extract<TopicMessage, { readonly type: Type }>;

/** What holds until it is taken back. */
export type Standing = Of<"interest"> | Of<"announce">;

/** How it speaks. */
export interface TopicSpeakerOptions {
  readonly send: (message: TopicMessage) => void;
  /** Interests and announcements past these are not said. */
  readonly limits: TopicPeerLimits;
  readonly clock: Clock;
  readonly timer: Timer;
}

/** See the head of this file. */
export class TopicSpeaker {
  readonly #options: TopicSpeakerOptions;
  readonly #changes: TokenBucket;
  readonly #casts: TokenBucket;
  readonly #said = new Map<string, Standing>();
  /** What is to be said instead of, or besides, what was said. */
  readonly #waiting = new Map<string, Standing>();
  readonly #counts = { interest: 0, announce: 0 };
  #stop: (() => void) | undefined;

  /** Nothing was said yet. */
  constructor(options: TopicSpeakerOptions) {
    const { limits, clock } = options;
    this.#options = options;
    this.#changes = new TokenBucket(limits.changes, clock);
    this.#casts = new TokenBucket(limits.casts, clock);
  }

  /** Says from now on what `message` is, and nothing about `name` without one. */
  set(name: string, message: Standing | undefined): void {
    const said = this.#said.get(name);
    this.#waiting.delete(name);
    if (message === undefined) return this.#takeBack(name, said);
    if (said?.via?.join() === message.via?.join() && said !== undefined) return;
    this.#waiting.set(name, message);
    // What waits longer goes first.
    if (this.#stop === undefined) this.#sayAll();
  }

  /** Passes a cast on, if there is room for it now. */
  cast(message: Of<"cast">): void {
    if (this.#casts.take()) this.#options.send(message);
  }

  /** Nothing is said any more. */
  end(): void {
    this.#stop?.();
    this.#waiting.clear();
  }

  #takeBack(name: string, said: Standing | undefined): void {
    if (said === undefined) return;
    this.#said.delete(name);
    this.#counts[said.type]--;
    const { topic } = said;
    const { send } = this.#options;
    if (said.type === "interest") send({ type: "uninterest", topic });
    else send({ type: "withdraw", topic, key: said.key, by: said.by });
  }

  #sayAll(): void {
    const { limits, send, timer } = this.#options;
    const most = { interest: limits.interests, announce: limits.announcements };
    for (const [name, message] of this.#waiting) {
      const { type } = message;
      const isNew = !this.#said.has(name);
      if (isNew && this.#counts[type] >= most[type]) {
        this.#waiting.delete(name);
        continue;
      }
      if (!this.#changes.take()) {
        this.#stop = timer(() => {
          this.#stop = undefined;
          this.#sayAll();
        }, PACE_MS);
        return;
      }
      this.#waiting.delete(name);
      if (isNew) this.#counts[type]++;
      this.#said.set(name, message);
      send(message);
    }
  }
}
