import assert from "node:assert/strict";
import { MemoryStore } from "../../../core/log/memory_store.ts";
import { Registry } from "../../../core/repo/registry.ts";
import { createRelay } from "../../../relay/app.ts";
import { serveSync } from "../../../relay/sync.ts";
import { fileName, fileText, writeFiles } from "../../suites/many_files.ts";
import { signerOf } from "../../suites/people.ts";
import { readOverHttp, readOverSync, startWire } from "../../suites/wire.ts";

const alice = await signerOf("alice");
const COUNT = 3000;

Deno.test("a file of 10 KB out of thousands takes 2 round trips, and 64 KiB besides", async () => {
  const store = new MemoryStore();
  await writeFiles(store, alice, COUNT);
  const registry = new Registry({ store });
  const relay = createRelay({ registry, onSocket: serveSync({ registry }) });
  const server = Deno.serve(
    { port: 0, hostname: "127.0.0.1", onListen: () => {} },
    (request, info) => relay.fetch(request, info),
  );
  const wire = startWire(server.addr.port);
  for (const read of [readOverSync, readOverHttp]) {
    for (const i of [0, 1234, COUNT - 1]) {
      wire.bytes = 0;
      const { value, trips } = await read(wire.host, alice.key, ["files", fileName(i)]);
      assert.equal(value, fileText(i));
      assert.equal(trips, 2);
      const overhead = wire.bytes - fileText(i).length;
      assert.ok(overhead > 0 && overhead <= 64 * 1024, `${read.name}: ${overhead} bytes`);
    }
  }
  relay.close();
  await server.shutdown();
  await wire.stop();
});
