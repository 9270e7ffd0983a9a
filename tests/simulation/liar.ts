/** What a relay does that lies. */

import { StreamoError } from "../../core/errors.ts";
import { Signer } from "../../core/identity/signer.ts";
import type { Key } from "../../core/identity/key.ts";
import { signedBytes, type SignedHead } from "../../core/log/head.ts";
import { MemoryStore } from "../../core/log/memory_store.ts";
import { Repo } from "../../core/repo/repo.ts";
import { decodeFrame, encodeFrame } from "../../core/sync/frame.ts";
import { decodeMessage, encodeMessage } from "../../core/sync/messages.ts";
import type { Chance } from "./chance.ts";
import type { Scene } from "./scene.ts";
import type { SimSocket } from "./sim_socket.ts";

type Data = string | Uint8Array;

/** Lies every now and then, until it is told to stop. */
export class Liar {
  readonly #scene: Scene;
  readonly #chance: Chance;
  readonly #blocks: readonly Uint8Array[];
  readonly #head: SignedHead;
  readonly #signer: Signer;
  /** What was sent before, to be sent again. */
  readonly #old: Data[] = [];
  isLying = true;
  /** How many lies were told. */
  lies = 0;

  private constructor(scene: Scene, signer: Signer, head: SignedHead, blocks: Uint8Array[]) {
    this.#scene = scene;
    this.#chance = scene.chance("liar");
    this.#signer = signer;
    this.#head = head;
    this.#blocks = blocks;
  }

  /** A liar with a log of its own that it passes off as others'. */
  static async open(scene: Scene): Promise<Liar> {
    const seed = new Uint8Array(32).fill(7);
    const signer = await Signer.fromSeed("liar", seed);
    const store = new MemoryStore();
    const clock = () => scene.clockMs;
    const repo = await Repo.open(store, signer, { crypto: scene.crypto, clock });
    repo.set({ shared: { k0: "forged" }, list: ["forged"] });
    await repo.flush();
    repo.publish("forged");
    await repo.flush();
    const head = repo.head!;
    const blocks: Uint8Array[] = [];
    for await (const { bytes } of repo.log.blocks(0, head.blocks)) {
      blocks.push(bytes);
      scene.inspector.forged(bytes);
    }
    return new Liar(scene, signer, head, blocks);
  }

  /** What becomes of messages on one connection. */
  on(socket: () => SimSocket): (data: Data) => Data | undefined {
    return (data) => {
      if (!this.isLying || !this.#chance.is(0.04)) {
        if (this.#old.length < 50 && this.#chance.is(0.2)) this.#old.push(data);
        return data;
      }
      const lie = this.#lie(data);
      this.lies++;
      const what = lie === undefined ? "nothing" : typeof lie === "string" ? lie : "a frame";
      this.#scene.trace.note(socket().life.name, `lies: ${what.slice(0, 100)}`);
      return lie;
    };
  }

  #lie(data: Data): Data | undefined {
    const chance = this.#chance;
    switch (chance.integer(0, 4)) {
      case 0:
        return undefined;
      case 1:
        return this.#old.length > 0 ? chance.of(this.#old) : undefined;
      case 2:
        return typeof data === "string" ? this.#damageText(data) : damage(data, chance);
      default:
        return typeof data === "string" ? this.#forgeMessage(data) : this.#forgeFrame(data);
    }
  }

  #damageText(text: string): string {
    const at = this.#chance.integer(0, text.length - 1);
    return text.slice(0, at) + String.fromCharCode(this.#chance.integer(32, 126)) +
      text.slice(at + 1);
  }

  /** The liar's log under the key of the one that is asked for. */
  #forgeFrame(frame: Uint8Array): Uint8Array {
    const { channel, run } = decodeFrame(frame);
    const head = this.#forgedHead(run.head);
    return encodeFrame(channel, { head, first: 0, blocks: this.#blocks, proof: [] });
  }

  #forgeMessage(text: string): string {
    try {
      const message = decodeMessage(text);
      if (message.type === "opened" && message.head !== undefined) {
        return encodeMessage({
          ...message,
          head: this.#forgedHead(message.head),
          shared: undefined,
        });
      }
      if (message.type === "ack") {
        return encodeMessage({
          ...message,
          blocks: message.blocks + this.#chance.integer(1, 1000),
        });
      }
    } catch (error) {
      // What was damaged before cannot be read.
      if (!(error instanceof StreamoError)) throw error;
    }
    return this.#damageText(text);
  }

  #forgedHead({ key, epoch }: { key: Key; epoch: number }): SignedHead {
    const head = { ...this.#head, key, epoch: epoch + this.#chance.integer(0, 2) };
    const signature = this.#signer.sign(signedBytes(head));
    if (signature instanceof Promise) throw new TypeError("the provider must sign at once");
    return { ...head, signature };
  }
}

function damage(data: Uint8Array, chance: Chance): Uint8Array {
  const copy = data.slice();
  copy[chance.integer(0, copy.length - 1)] ^= 1 << chance.integer(0, 7);
  return copy;
}
