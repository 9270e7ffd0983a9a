/**
 * The value store alone: no signer, no records, nothing stored.
 *
 * @example Unchanged parts stay the same objects
 * ```ts
 * import { Streamo } from "@streamo/streamo/value";
 *
 * const store = new Streamo();
 * store.set({ name: "alice", score: { best: 42 } });
 * const score = store.get("score");
 * store.set("name", "Alice");
 * console.assert(store.get("score") === score);
 * ```
 *
 * @module
 */

export { Streamo } from "../repo/streamo.ts";
