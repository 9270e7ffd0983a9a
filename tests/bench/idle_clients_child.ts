/**
 * `idle_clients_child.ts ADDRESS COUNT [KEYS]`: so many connections that say hello, follow so many logs
 * that nobody has, and then nothing; with `raw` they do not even say hello. Prints "ready" when all are there.
 */

import { defaultCrypto } from "../../core/identity/default_crypto.ts";
import { type Key, keyFromBytes } from "../../core/identity/key.ts";
import { encodeKeys, encodeList, hashKeys, Stands } from "../../core/sync/lists.ts";
import { decodeMessage, encodeMessage } from "../../core/sync/messages.ts";
import { SUBPROTOCOL } from "../../core/sync/websocket_transport.ts";
import { hello } from "../suites/hello.ts";

const [address, count, keys = "0"] = Deno.args;
const crypto = defaultCrypto();

function connectRaw(): Promise<void> {
  const socket = new WebSocket(`ws://${address}/`);
  return new Promise((resolve, reject) => {
    socket.onopen = () => resolve();
    socket.onerror = reject;
  });
}

/** Resolves when the relay has said hello, and compared the list if there is one. */
function connect(keys: readonly Key[]): Promise<void> {
  const socket = new WebSocket(`ws://${address}/sync`, SUBPROTOCOL);
  socket.binaryType = "arraybuffer";
  const stands = new Stands(crypto, keys.length, "opener");
  keys.forEach((_, i) => stands.set(i, undefined));
  return new Promise((resolve, reject) => {
    socket.onerror = reject;
    socket.onopen = () => {
      socket.send(encodeMessage(hello("idle")));
      if (keys.length > 0) socket.send(encodeList(hashKeys(crypto, keys), stands));
    };
    socket.onmessage = ({ data }) => {
      const type = typeof data === "string" ? decodeMessage(data).type : "compared";
      if (type === "keys") socket.send(encodeKeys(keys));
      if (type === "compared") socket.send(encodeMessage({ type: "settled" }));
      if (type === "compared" || keys.length === 0) resolve();
    };
  });
}

/** Keys that nobody has, others for each connection. */
function madeUp(connection: number, count: number): Key[] {
  const keys = Array.from({ length: count }, (_, i) => {
    const numbers = new TextEncoder().encode(`${connection} ${i}`);
    return keyFromBytes(crypto.sha256(numbers));
  });
  return keys.sort();
}

for (let i = 0; i < Number(count); i++) {
  await (keys === "raw" ? connectRaw() : connect(madeUp(i, Number(keys))));
}
console.log("ready");
