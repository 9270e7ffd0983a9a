/** The names by which clients reach a relay. */

import { hostOf } from "../core/sync/auth.ts";
import type { SocketInfo } from "./socket.ts";

/** A repo's own origin: its key before a name of the relay. */
const KEY_LABEL = /^[a-z2-7]{52}\./;

/**
 * The host that a client's claims are bound to, if it is one of `hosts`; undefined if the relay does not
 * know it as its own. The client says what it asked for, and whoever stands between two relays could
 * say anything: only the relay itself knows which names are its own. Without `hosts` that is this
 * machine's, for clients on this machine.
 */
export function ownHost(
  { host, address }: Pick<SocketInfo, "host" | "address">,
  hosts?: readonly string[],
): string | undefined {
  const asked = hostOf(`http://${host}`);
  const name = asked.replace(KEY_LABEL, "");
  const isOwn = hosts === undefined
    ? isLoopback(new URL(`http://${name}`).hostname) && isLoopback(address ?? "")
    : hosts.some((own) => hostOf(`http://${own}`) === name);
  return isOwn ? asked : undefined;
}

function isLoopback(name: string): boolean {
  return name === "localhost" || /^(::ffff:)?127(\.\d+){3}$|^\[?::1\]?$/.test(name);
}
