/** What a page imports that shows a repo live. */

export { connect, MemoryStore, Registry } from "../../../mod.ts";
