import { MemoryStore } from "../../../core/log/memory_store.ts";
import { storeConformance } from "../../suites/store.ts";
import { testCrypto } from "../../suites/test_log.ts";

storeConformance("MemoryStore", () =>
  Promise.resolve({
    store: new MemoryStore({ crypto: testCrypto }),
    dispose: () => Promise.resolve(),
  }));
