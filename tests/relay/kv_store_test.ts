import { KvStore } from "../../relay/kv_store.ts";
import { storeConformance } from "../suites/store.ts";
import { testCrypto } from "../suites/test_log.ts";

storeConformance("KvStore in a file", async () => {
  const directory = await Deno.makeTempDir({ prefix: "streamo-" });
  const open = async () =>
    KvStore.open(await Deno.openKv(`${directory}/kv.sqlite`), { crypto: testCrypto });
  return {
    store: await open(),
    reopen: open,
    dispose: () => Deno.remove(directory, { recursive: true }),
  };
});

storeConformance("KvStore in memory", async () => ({
  store: await KvStore.open(await Deno.openKv(":memory:"), { crypto: testCrypto }),
  dispose: () => Promise.resolve(),
}));
