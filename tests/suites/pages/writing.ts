/** What a page imports that also writes. */

export { connect, Credentials, MemoryStore, Registry } from "../../../mod.ts";
