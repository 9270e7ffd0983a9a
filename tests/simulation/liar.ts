/** What a relay does that lies. */

import { StreamoError } from "../../core/errors.ts";
import { Signer } from "../../core/identity/signer.ts";
import type { Key } from "../../core/identity/key.ts";
import { signedBytes, type SignedHead } from "../../core/log/head.ts";
import { MemoryStore } from "../../core/log/memory_store.ts";
import { Repo } from "../../core/repo/repo.ts";
import { decodeFrame, encodeFrame } from "../../core/sync/frame.ts";
import { decodeMessage, encodeMessage, type Message } from "../../core/sync/messages.ts";
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
  readonly #old: Record<number, Data> = {};
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
  on(socket: () => SimSocket): (data: Data) => readonly Data[] {
    let log: OpenLog | undefined;
    return (data) => {
      log = openLog(data) ?? log;
      if (!this.isLying || !this.#chance.is(0.1)) {
        if (this.#chance.is(0.2)) this.#old[this.#chance.integer(0, 40)] = data;
        return [data];
      }
      const lies = this.#lie(data, log);
      this.lies++;
      const what = lies.map((lie) => typeof lie === "string" ? lie.slice(0, 80) : "a frame");
      this.#scene.trace.note(socket().life.name, `lies: ${what.join()}`);
      return lies;
    };
  }

  #lie(data: Data, log: OpenLog | undefined): readonly Data[] {
    const chance = this.#chance;
    const old = Object.values(this.#old);
    switch (chance.integer(0, 6)) {
      case 0:
        return [];
      case 1:
        return [damage(data, chance)];
      case 2:
        return old.length > 0 ? [data, chance.of(old)] : [data, data];
      case 3:
        return [typeof data === "string" ? this.#forgeMessage(data) : damage(data, chance)];
      default:
        return log === undefined ? [data] : [data, this.#forgeFrame(log)];
    }
  }

  /** The liar's log under the key of the one that is asked for. */
  #forgeFrame({ channel, head: { key, epoch } }: OpenLog): Uint8Array {
    const head = this.#forgedHead(key, epoch);
    const run = { head, first: 0, blocks: this.#blocks, proof: [] };
    // A copy: what is encoded is a view of something larger.
    return encodeFrame(channel, run).slice();
  }

  /** The liar's head for that of the author, or more acknowledged than there is. */
  #forgeMessage(text: string): string {
    const message = readMessage(text);
    if (message?.type === "opened" && message.head !== undefined) {
      const head = this.#forgedHead(message.head.key, message.head.epoch);
      return encodeMessage({ ...message, head, shared: undefined });
    }
    if (message?.type === "ack") {
      return encodeMessage({ ...message, blocks: message.blocks + this.#chance.integer(1, 1000) });
    }
    return damageText(text, this.#chance);
  }

  #forgedHead(key: Key, epoch: number): SignedHead {
    const head = { ...this.#head, key, epoch: epoch + this.#chance.integer(0, 2) };
    const signature = this.#signer.sign(signedBytes(head));
    if (signature instanceof Promise) throw new TypeError("the provider must sign at once");
    return { ...head, signature };
  }
}

/** A log that is open on a connection. */
interface OpenLog {
  readonly channel: number;
  readonly head: SignedHead;
}

/** What an honest message tells of an open log. */
function openLog(data: Data): OpenLog | undefined {
  if (typeof data !== "string") {
    const { channel, run: { head } } = decodeFrame(data);
    return { channel, head };
  }
  const message = readMessage(data);
  if (message?.type !== "opened" || message.head === undefined) return undefined;
  return { channel: message.channel, head: message.head };
}

function readMessage(text: string): Message | undefined {
  try {
    return decodeMessage(text);
  } catch (error) {
    if (!(error instanceof StreamoError)) throw error;
    return undefined;
  }
}

function damage(data: Data, chance: Chance): Data {
  if (typeof data === "string") return damageText(data, chance);
  const copy = data.slice();
  copy[chance.integer(0, copy.length - 1)] ^= 1 << chance.integer(0, 7);
  return copy;
}

function damageText(text: string, chance: Chance): string {
  const at = chance.integer(0, text.length - 1);
  return text.slice(0, at) + String.fromCharCode(chance.integer(32, 126)) + text.slice(at + 1);
}
