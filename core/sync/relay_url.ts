/** Addresses of relays. */

/** The WebSocket address of a relay: `localhost:8080` is `ws://localhost:8080/sync`. */
export function relayUrl(text: string): string {
  const withScheme = /^[a-z]+:\/\//i.test(text) ? text : `ws://${text}`;
  const url = URL.parse(withScheme.replace(/^http/i, "ws"));
  if (url === null || !/^wss?:$/.test(url.protocol) || url.hostname === "") {
    throw new TypeError(`not the address of a relay: "${text}"`);
  }
  if (url.pathname === "/") url.pathname = "/sync";
  url.hash = "";
  return url.href;
}
