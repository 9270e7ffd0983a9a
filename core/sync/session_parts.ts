/** What a session loads when it connects: pages that only read and write need none of it. */

import { systemSocket, type Timer } from "../platform.ts";
import { Conversation, type ConversationOptions } from "./conversation.ts";
import { type Followed, Following } from "./follow.ts";
import type { Follow } from "./follow_links.ts";
import { keepAlive } from "./keep_alive.ts";
import type { SessionOptions } from "./session_options.ts";
import { SessionTopics, type TopicsOfSession } from "./session_topics.ts";
import { SUBPROTOCOL, webSocketTransport } from "./websocket_transport.ts";

export { AskAgain } from "./ask_again.ts";
export { fetchOnce } from "./fetch_once.ts";

/** Connects to `url` and says hello. */
export function converse(
  url: string,
  options: SessionOptions,
  rest:
    & Pick<
      ConversationOptions,
      "registry" | "onHello" | "onNews" | "onCast" | "onStatus" | "onEnd"
    >
    & { readonly timer: Timer },
): Conversation {
  const { openTransport, software = "streamo", relay, topics, admit, onLeave, randomBytes } =
    options;
  // Whatever opens it, a WebSocket is asked for by this name.
  const { host = /^wss?:/.test(url) ? new URL(url).host : undefined } = options;
  let stopLooking = () => {};
  const conversation = new Conversation({
    ...rest,
    transport: openTransport?.(url) ?? webSocketTransport(systemSocket(url, SUBPROTOCOL)),
    host,
    software,
    relay,
    link: topics,
    admit,
    onLeave,
    randomBytes,
    onEnd: (...end) => {
      stopLooking();
      rest.onEnd?.(...end);
    },
  });
  stopLooking = keepAlive(conversation, rest.timer);
  return conversation;
}

/** The topics of a session. */
export function topicsOf(session: TopicsOfSession): SessionTopics {
  return new SessionTopics(session);
}

/** What a session follows, before it knows where to begin. */
export function followingOf(
  session: Followed,
  pick: Follow | "links",
  onError: ConstructorParameters<typeof Following>[2],
): Following {
  return new Following(session, pick, onError);
}
