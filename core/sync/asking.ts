/** The side of a conversation that asks for logs: one by one, or many as a list. */

import { malformed } from "../codec/reader.ts";
import type { Key } from "../identity/key.ts";
import { Asleep } from "./asleep.ts";
import type { Channel } from "./channel.ts";
import { ListOffer } from "./list_offer.ts";
import { LIST_MAX } from "./lists.ts";
import type { Message } from "./messages.ts";

/** Fewer are opened one by one: that is answered at once, and costs 190 bytes each. */
const LIST_MIN = 32;

/** What it needs of its conversation. */
export interface AskingOptions {
  /** The open channels, also those that the peer has asked for. */
  readonly channels: ReadonlyMap<Key, Channel>;
  readonly send: (data: Message | Uint8Array) => void;
}

/** What this side has asked for. */
export class Asking {
  readonly #options: AskingOptions;
  /** By way of which relays, where this side asks for others. */
  readonly #via = new Map<Key, readonly string[]>();
  /** Channels for which the peer keeps none. */
  readonly #asleep = new Asleep();
  #offer: ListOffer | undefined;
  #hasOffered = false;

  /** Nothing was asked for yet. */
  constructor(options: AskingOptions) {
    this.#options = options;
  }

  /** How many of `count` logs are to be opened as a list: one a conversation, for who comes back. */
  listed(count: number): number {
    return count < LIST_MIN || this.#hasOffered ? 0 : Math.min(count, LIST_MAX);
  }

  /** Opens a list of channels; `via`: as it is with {@link open}. */
  offer(channels: readonly Channel[], via: readonly string[] | undefined): void {
    if (via !== undefined) { for (const { repo } of channels) this.#via.set(repo.key, via); }
    this.#hasOffered = true;
    this.#offer = new ListOffer(channels);
    this.#options.send(this.#offer.first());
  }

  /** Opens a channel by itself; `via`: for others, by way of these relays. */
  open(channel: Channel, via: readonly string[] | undefined): void {
    const { key } = channel.repo;
    if (via === undefined) this.#via.delete(key);
    else this.#via.set(key, via);
    this.#offer?.leave(key);
    channel.start();
  }

  /** Sends `data` on the channel of `key`, whose frames have this number. */
  send(key: Key, number: number, data: Message | Uint8Array): void {
    const before = this.#asleep.before(key, number, data);
    for (const one of before === undefined ? [data] : [before, data]) {
      const isOpen = !(one instanceof Uint8Array) && one.type === "open";
      this.#options.send(isOpen ? { ...one, via: this.#via.get(key) } : one);
    }
  }

  /** The peer has said something about the log of `key`: it has a channel again. */
  onHeard(key: Key): void {
    this.#asleep.delete(key);
    this.#offer?.leave(key);
  }

  /** The peer does not know the list. */
  onKeys(): void {
    const keys = this.#offer?.keys();
    if (keys === undefined) throw malformed("the keys of no list were asked for");
    this.#options.send(keys);
  }

  /** The peer has compared the list with what it has. */
  async onCompared(body: Uint8Array): Promise<void> {
    const outcomes = this.#offer?.outcomes(body);
    if (outcomes === undefined) throw malformed("no list was to be compared");
    this.#offer = undefined;
    const { channels, send } = this.#options;
    await Promise.all(outcomes.map(({ channel, position }) => {
      const { key } = channel.repo;
      if (channels.get(key) !== channel) return;
      if (position !== undefined) this.#asleep.add(key, position);
      return channel.start(position);
    }));
    send({ type: "settled" });
  }

  /** The peer keeps no channel for these logs any more. */
  onParked(keys: readonly Key[]): void {
    for (const key of keys) {
      const channel = this.#options.channels.get(key);
      if (channel?.isOpener && !this.#asleep.park(channel)) channel.start();
    }
  }

  /** The channel is closed. */
  drop(key: Key): void {
    this.#via.delete(key);
    this.#asleep.delete(key);
  }
}
