/** The first message of peers that tests script themselves. */

import type { Hello } from "../../core/sync/messages.ts";

/** A hello that says `software`, with a challenge of bytes that are all `fill`. */
export function hello(software: string, fill = 7): Hello {
  const challenge = new Uint8Array(32).fill(fill);
  return { type: "hello", protocol: 1, software, home: undefined, challenge };
}
