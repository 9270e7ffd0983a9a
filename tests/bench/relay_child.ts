/** A relay, in memory or over the Deno KV file that is named; prints its address. */

import { MemoryStore } from "../../core/log/memory_store.ts";
import { KvStore } from "../../relay/kv_store.ts";
import { startRelay } from "../suites/relay.ts";

const [file] = Deno.args;
const store = file === undefined ? new MemoryStore() : await KvStore.open(await Deno.openKv(file));
console.log(startRelay(store).url);
