import { FileStore } from "../../cli/file_store.ts";
import { storeConformance } from "../suites/store.ts";
import { testCrypto } from "../suites/test_log.ts";

for (
  const [name, options] of [["", {}], [" of small segments", {
    maxSegmentBytes: 2000,
    maxOpenFiles: 4,
    maxOpenKeys: 3,
  }]] as const
) {
  storeConformance(`FileStore${name}`, async () => {
    const directory = await Deno.makeTempDir({ prefix: "streamo-" });
    const open = () => FileStore.open(directory, { crypto: testCrypto, ...options });
    return {
      store: await open(),
      reopen: open,
      dispose: () => Deno.remove(directory, { recursive: true }),
    };
  });
}
