/**
 * The relay: keeps logs, passes them on and serves them over HTTP. It is trusted with nothing.
 *
 * @module
 */

export {
  createRelay,
  DEFAULT_LIMITS,
  type Relay,
  type RelayLimits,
  type RelayOptions,
} from "./app.ts";
export { dial } from "./dial.ts";
export type { Storage } from "./health.ts";
export { STATUS_OF } from "./http/errors.ts";
export { Library, type LibraryFile } from "./library/library.ts";
export { type BrowserPackage, Packages } from "./library/packages.ts";
export { type OnSocket, type SocketInfo, SUBPROTOCOL } from "./socket.ts";
export type { ValueLimits } from "./streams/value.ts";
