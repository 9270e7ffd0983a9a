import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { dial } from "../../relay/dial.ts";

const MESSAGE = new Uint8Array(300).fill(7);

/** The header of the first frame that `dial` sends to this machine under the name `host`, and its content. */
async function firstFrame(host: string): Promise<{ mask: Uint8Array; content: Uint8Array }> {
  using listener = Deno.listen({ port: 0, hostname: "127.0.0.1" });
  const { port } = listener.addr as Deno.NetAddr;
  const transport = dial(`ws://${host}:${port}/sync`);
  transport.send(MESSAGE);
  using connection = await listener.accept();
  const request = new TextDecoder().decode(await readUntil(connection, "\r\n\r\n"));
  const key = /sec-websocket-key: (.*)\r\n/i.exec(request)![1];
  // RFC 6455 section 4.2.2.
  const accept = createHash("sha1").update(`${key}258EAFA5-E914-47DA-95CA-C5AB0DC85B11`);
  const head = [
    "HTTP/1.1 101 Switching Protocols",
    "Upgrade: websocket",
    "Connection: Upgrade",
    "Sec-WebSocket-Protocol: streamo.1",
    `Sec-WebSocket-Accept: ${accept.digest("base64")}`,
  ];
  await connection.write(new TextEncoder().encode(`${head.join("\r\n")}\r\n\r\n`));
  // Two bytes, a length of two bytes, the mask.
  const frame = await readBytes(connection, 8 + MESSAGE.length);
  const closed = new Promise<void>((resolve) => transport.onClose = () => resolve());
  transport.close();
  await closed;
  assert.equal(frame[1], 0x80 | 126, "a client's frames have a mask");
  return { mask: frame.subarray(4, 8), content: frame.subarray(8) };
}

async function readUntil(connection: Deno.Conn, end: string): Promise<Uint8Array> {
  const bytes: number[] = [];
  while (!String.fromCharCode(...bytes.slice(-end.length)).endsWith(end)) {
    bytes.push(...await readBytes(connection, 1));
  }
  return new Uint8Array(bytes);
}

async function readBytes(connection: Deno.Conn, count: number): Promise<Uint8Array> {
  const bytes = new Uint8Array(count);
  for (let at = 0; at < count;) {
    const read = await connection.read(bytes.subarray(at));
    assert.ok(read !== null, "the connection ended");
    at += read;
  }
  return bytes;
}

Deno.test("what is sent over a network is masked, but not what stays on this machine", async () => {
  const near = await firstFrame("127.0.0.1");
  assert.deepEqual(near.mask, new Uint8Array(4));
  assert.deepEqual(near.content, MESSAGE);
  // Another name of this machine, which does not look like one.
  const far = await firstFrame("0.0.0.0");
  assert.notDeepEqual(far.mask, new Uint8Array(4));
  assert.deepEqual(far.content.map((byte, i) => byte ^ far.mask[i % 4]), MESSAGE);
});
