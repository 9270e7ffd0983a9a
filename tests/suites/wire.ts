/** What one reader of a log costs on the wire: bytes counted between two sockets, and its questions. */

import type { Key } from "../../core/identity/key.ts";
import { MemoryStore } from "../../core/log/memory_store.ts";
import { Registry } from "../../core/repo/registry.ts";
import { Repo } from "../../core/repo/repo.ts";
import type { Path, Value } from "../../core/codec/value.ts";
import { HttpSource } from "../../core/sync/http_source.ts";
import { connect } from "../../core/sync/session.ts";
import type { Transport } from "../../core/sync/transport.ts";
import { SUBPROTOCOL, webSocketTransport } from "../../core/sync/websocket_transport.ts";

/** A TCP port that passes everything on to another one, and counts what comes back. */
export interface Wire {
  readonly host: string;
  /** Bytes that came back, those of HTTP's and WebSocket's own included. */
  bytes: number;
  stop(): Promise<void>;
}

/** Passes everything on to `port` of this machine. */
export function startWire(port: number): Wire {
  const listener = Deno.listen({ port: 0, hostname: "127.0.0.1" });
  const pipes: Promise<unknown>[] = [];
  const wire: Wire = {
    host: `127.0.0.1:${(listener.addr as Deno.NetAddr).port}`,
    bytes: 0,
    async stop() {
      listener.close();
      await Promise.allSettled(pipes);
    },
  };
  const accept = async () => {
    for await (const client of listener) {
      const server = await Deno.connect({ port, hostname: "127.0.0.1" });
      const counter = new TransformStream<Uint8Array, Uint8Array>({
        transform(chunk, controller) {
          wire.bytes += chunk.length;
          controller.enqueue(chunk);
        },
      });
      pipes.push(client.readable.pipeTo(server.writable));
      pipes.push(server.readable.pipeThrough(counter).pipeTo(client.writable));
    }
  };
  pipes.push(accept());
  return wire;
}

/** What was read, and with how many questions one after the other. */
export interface Found {
  readonly value: Value;
  readonly trips: number;
}

/** Reads `path` of the newest value of `key` by a session that begins with nothing. */
export async function readOverSync(host: string, key: Key, path: Path): Promise<Found> {
  let trips = 0;
  const openTransport = (): Transport => {
    const transport = webSocketTransport(new WebSocket(`ws://${host}/sync`, SUBPROTOCOL));
    return countingTransport(transport, (data) => {
      if (typeof data === "string" && data.startsWith('{"type":"load"')) trips++;
    });
  };
  const session = connect(new Registry({ store: new MemoryStore() }), host, { openTransport });
  try {
    const repo = await session.subscribe(key, { mode: "sparse" });
    return { value: await repo.load(...path), trips };
  } finally {
    session.close();
  }
}

/** The same over HTTP. */
export async function readOverHttp(host: string, key: Key, path: Path): Promise<Found> {
  let trips = 0;
  const client = Deno.createHttpClient({});
  const source = new HttpSource(`http://${host}`, {
    fetch(url, init) {
      trips++;
      return fetch(url, { ...init, client });
    },
  });
  try {
    const repo = await Repo.open(new MemoryStore(), key, { source });
    return { value: await repo.load(...path), trips };
  } finally {
    client.close();
  }
}

function countingTransport(
  inner: Transport,
  onSend: (data: string | Uint8Array) => void,
): Transport {
  return {
    send(data) {
      onSend(data);
      inner.send(data);
    },
    get bufferedBytes() {
      return inner.bufferedBytes;
    },
    close: (code, reason) => inner.close(code, reason),
    set onMessage(take: Transport["onMessage"]) {
      inner.onMessage = take;
    },
    set onClose(take: Transport["onClose"]) {
      inner.onClose = take;
    },
  };
}
