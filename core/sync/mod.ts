/**
 * Sync over any connection: what `connect()` loads when it is called, for programs that have another
 * transport than a WebSocket or that serve peers themselves.
 *
 * @module
 */

export type { RandomBytes } from "../platform.ts";
export { hostOf, type Identification, type IdentificationOptions, type Peer } from "./auth.ts";
export { Conversation, type ConversationOptions } from "./conversation.ts";
export type { Phase } from "./channel_state.ts";
export type { Load, PartMessage } from "./part_messages.ts";
export { type Port, type PortOptions, portTransport } from "./port_transport.ts";
export { Upstreams, type UpstreamsOptions } from "./upstreams.ts";
export type {
  Announcement,
  Auth,
  Hello,
  ListMessage,
  Message,
  Refusal,
  TopicMessage,
  TopicNews,
} from "./messages.ts";
export type { LogMessage, OfferedBranch } from "./log_messages.ts";
export type { Presence, PresenceOptions } from "./presence.ts";
export type { Rate } from "./token_bucket.ts";
export {
  TOPIC_LIMITS,
  type TopicLimits,
  type TopicPeerLimits,
  type TopicsOptions,
} from "./topic_limits.ts";
export type { Seat, TopicLink, TopicPeer } from "./topic_members.ts";
export { Topics } from "./topics.ts";
export { SUBPROTOCOL, webSocketTransport } from "./websocket_transport.ts";
export { type Transport, transportPair } from "./transport.ts";
