/**
 * Follows one key: `reader_child.ts URL KEY SEQ`. Prints "ready" when it follows, and "done" once
 * record SEQ is here, verified and stored.
 */

import { parseKey } from "../../core/identity/key.ts";
import { MemoryStore } from "../../core/log/memory_store.ts";
import { Registry } from "../../core/repo/registry.ts";
import { connect } from "../../core/sync/session.ts";

const [url, key, seq] = Deno.args;
const session = connect(new Registry({ store: new MemoryStore() }), url);
const repo = await session.subscribe(parseKey(key));
await session.synced(repo);
repo.on("change", ({ record }) => {
  if (record.seq >= Number(seq)) console.log("done");
});
console.log("ready");
