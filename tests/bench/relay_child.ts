/** A relay in memory; prints its address. */

import { MemoryStore } from "../../core/log/memory_store.ts";
import { startRelay } from "../suites/relay.ts";

console.log(startRelay(new MemoryStore()).url);
