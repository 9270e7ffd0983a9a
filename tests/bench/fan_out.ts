/** One writer, many subscribers, against the same over WebSockets alone. */

import { MemoryStore } from "../../core/log/memory_store.ts";
import { Registry } from "../../core/repo/registry.ts";
import { connect } from "../../core/sync/session.ts";
import { dial } from "../../relay/dial.ts";
import { signerOf } from "../suites/people.ts";
import { type Bench, seconds } from "./bench.ts";
import { startChild } from "./child.ts";
import { STAMP } from "./stamp.ts";

/** Blocks that the writer has on their way: enough to keep the relay busy, too few to join in a frame. */
const IN_FLIGHT = 64;
const MESSAGE = "x".repeat(200);

/** Deliveries a second from one relay process to subscribers in another process. */
export async function fanOut(bench: Bench): Promise<void> {
  const subscribers = bench.size(1000, 3);
  const messages = bench.size(100, 5);
  const deliveries = subscribers * messages;
  const raw = await bench.median(3, () => broadcast(subscribers, messages));
  let frames = 0;
  const published = await bench.median(3, async () => {
    const result = await publish(subscribers, messages);
    frames = result.frames;
    return result.time;
  });
  // DESIGN section 11.
  const promised = 0.6 * deliveries / raw;
  const limit = { name: "raw WebSocket broadcast", value: deliveries / raw, unit: "/s" };
  bench.row({
    name: `deliveries to ${subscribers} subscribers, 200 B each`,
    value: deliveries / published,
    unit: "/s",
    limit,
    reach: { value: promised },
  });
  bench.row({ name: "  frames a delivery", value: frames / deliveries, unit: "frames" });
  const rate = promised / 2;
  const { p99 } = await publish(subscribers, messages, subscribers / rate);
  bench.row({
    name: `  99 of 100 deliveries, at ${Math.round(rate)} /s`,
    value: p99,
    unit: "ms",
    reach: { value: 100, atMost: true },
  });
}

async function broadcast(subscribers: number, messages: number): Promise<number> {
  const server = startChild("raw_child.ts");
  const url = await server.line();
  const readers = startChild("subscribers_child.ts", url, "", subscribers, messages);
  try {
    await readers.line();
    const socket = new WebSocket(`${url}send`);
    await new Promise((resolve) => socket.onopen = resolve);
    const time = await seconds(async () => {
      for (let i = 0; i < messages; i++) socket.send(MESSAGE);
      await readers.line();
    });
    const closed = new Promise((resolve) => socket.onclose = resolve);
    socket.close();
    await closed;
    return time;
  } finally {
    await readers.stop();
    await server.stop();
  }
}

async function publish(
  subscribers: number,
  messages: number,
  pause = 0,
): Promise<{ time: number; frames: number; p99: number }> {
  const relay = startChild("relay_child.ts");
  const url = await relay.line();
  const signer = await signerOf("writer");
  const readers = startChild("subscribers_child.ts", url, signer.key, subscribers, messages);
  const session = connect(new Registry({ store: new MemoryStore() }), url, {
    signers: [signer],
    openTransport: dial,
  });
  const repo = await session.subscribe(signer.key);
  /** Resolves when so many blocks are acknowledged. */
  const acked = (blocks: number) =>
    new Promise<void>((resolve) => {
      const look = () => {
        if (session.status.repos[0].acked < blocks) return;
        stop();
        resolve();
      };
      const stop = session.on("status", look);
      look();
    });
  try {
    await session.synced(repo);
    await readers.line();
    let result: number[] = [];
    const start = performance.now();
    const time = await seconds(async () => {
      for (let i = 1; i <= messages; i++) {
        const wait = start + i * pause * 1000 - performance.now();
        if (pause > 0 && wait > 0) await new Promise((resolve) => setTimeout(resolve, wait));
        repo.publish(`${STAMP}${Date.now()}`.padEnd(192, "x") + String(i).padStart(8, "0"));
        await repo.flush();
        await acked(i - IN_FLIGHT);
      }
      result = (await readers.line()).split(" ").map(Number);
    });
    return { time, frames: result[0], p99: result[1] };
  } finally {
    session.close();
    await readers.stop();
    await relay.stop();
  }
}
