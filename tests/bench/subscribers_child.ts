/**
 * Many subscribers in one process: `subscribers_child.ts URL KEY COUNT MESSAGES`, with an empty key
 * for a raw broadcast. They only count, so that the relay is what is measured. Prints "ready" when
 * all follow, and once each has all messages how many frames came in all and, if messages say when they
 * were written ({@link STAMP}), in how many milliseconds 99 of 100 frames were there.
 */

import { Buffer } from "node:buffer";
import { hello } from "../suites/hello.ts";
import { parseKey } from "../../core/identity/key.ts";
import { Reader } from "../../core/codec/reader.ts";
import { HEAD_BYTES } from "../../core/log/head.ts";
import { decodeMessage, encodeMessage } from "../../core/sync/messages.ts";
import { STAMP } from "./stamp.ts";
import { SUBPROTOCOL } from "../../core/sync/websocket_transport.ts";

const [url, key, countText, messagesText] = Deno.args;
const [count, messages] = [Number(countText), Number(messagesText)];
let ready = 0;
let done = 0;
let frames = 0;
const delays: number[] = [];

function isReady(): void {
  if (++ready === count) console.log("ready");
}

/** One subscriber has `received` messages. */
function look(received: number): void {
  frames++;
  if (received < messages || ++done < count) return;
  delays.sort((a, b) => a - b);
  console.log(`${frames} ${delays[Math.floor(delays.length * 0.99)] ?? ""}`);
}

function subscribeRaw(): void {
  let received = -1;
  const socket = new WebSocket(url);
  socket.onmessage = () => ++received === 0 ? isReady() : look(received);
}

function subscribe(): void {
  const socket = new WebSocket(url, SUBPROTOCOL);
  socket.binaryType = "arraybuffer";
  socket.onopen = () => {
    socket.send(encodeMessage(hello("bench")));
    const open = { type: "open", key: parseKey(key), channel: 0, have: undefined } as const;
    socket.send(encodeMessage(open));
  };
  socket.onmessage = ({ data }) => {
    if (typeof data !== "string") {
      noteDelay(new Uint8Array(data));
      look(endOf(new Uint8Array(data)));
    } else if (decodeMessage(data).type === "opened") isReady();
  };
}

/** How long ago the first message of a frame was written, if it says so. */
function noteDelay(frame: Uint8Array): void {
  const text = Buffer.from(frame.buffer, frame.byteOffset, frame.length);
  const at = text.indexOf(STAMP);
  if (at < 0) return;
  const written = Number(text.toString("latin1", at + STAMP.length, at + STAMP.length + 13));
  delays.push(Date.now() - written);
}

/** The block after the last of a frame; nothing else of it is looked at. */
function endOf(frame: Uint8Array): number {
  const reader = new Reader(frame, 1);
  reader.varint();
  reader.raw(HEAD_BYTES);
  return reader.varint() + reader.varint();
}

for (let i = 0; i < count; i++) {
  if (key === "") subscribeRaw();
  else subscribe();
}
