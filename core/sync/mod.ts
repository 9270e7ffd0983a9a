/**
 * Sync over any connection: what `connect()` loads when it is called, for programs that have another
 * transport than a WebSocket or that serve peers themselves.
 *
 * @module
 */

export { Conversation, type ConversationOptions } from "./conversation.ts";
export type { Phase } from "./channel_state.ts";
export { Upstreams, type UpstreamsOptions } from "./upstreams.ts";
export type { Message } from "./messages.ts";
export { SUBPROTOCOL, webSocketTransport } from "./websocket_transport.ts";
export { type Transport, transportPair } from "./transport.ts";
