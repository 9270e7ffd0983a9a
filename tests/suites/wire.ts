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
  const open = new Set<Deno.TcpConn>();
  const pumps: Promise<void>[] = [];
  const wire: Wire = {
    host: `127.0.0.1:${listener.addr.port}`,
    bytes: 0,
    async stop() {
      listener.close();
      for (const connection of [...open]) {
        open.delete(connection);
        connection.close();
      }
      await Promise.all(pumps);
    },
  };
  /** Until one of the two ends: then so does the other. */
  const pump = async (from: Deno.TcpConn, to: Deno.TcpConn, onBytes: (count: number) => void) => {
    const buffer = new Uint8Array(65_536);
    try {
      for (let count = await from.read(buffer); count !== null; count = await from.read(buffer)) {
        onBytes(count);
        for (let at = 0; at < count;) at += await to.write(buffer.subarray(at, count));
      }
    } catch (error) {
      if (open.has(from) && open.has(to) && !(error instanceof Deno.errors.ConnectionReset)) {
        throw error;
      }
    }
    for (const connection of [from, to]) if (open.delete(connection)) connection.close();
  };
  const accept = async () => {
    for await (const client of listener) {
      const server = await Deno.connect({ port, hostname: "127.0.0.1" });
      open.add(client).add(server);
      pumps.push(pump(client, server, () => {}), pump(server, client, (n) => wire.bytes += n));
    }
  };
  pumps.push(accept());
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
