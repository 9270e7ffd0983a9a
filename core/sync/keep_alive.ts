/** Tells a quiet connection from a dead one. */

import type { Timer } from "../platform.ts";
import type { Conversation } from "./conversation.ts";

/** A quiet connection is asked for a sign of life this often, and given up after one such time more. */
const PING_MS = 20_000;
/** RFC 6455 leaves 4000 to 4999 to applications; browsers may not send other codes. */
const NO_ANSWER = 4001;

/** Gives up a connection that does not even answer; the result stops looking. */
export function keepAlive(conversation: Conversation, timer: Timer): () => void {
  let { heard } = conversation;
  let isAsked = false;
  const look = () => {
    const isAlive = conversation.heard > heard;
    if (!isAlive && isAsked) return conversation.end(NO_ANSWER, "no answer");
    heard = conversation.heard;
    isAsked = !isAlive;
    if (isAsked) conversation.ping();
    stop = timer(look, PING_MS);
  };
  let stop = timer(look, PING_MS);
  return () => stop();
}
