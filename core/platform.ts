/**
 * What core takes from the platform when its caller gives nothing else: the one place that names a
 * clock, timers, randomness or sockets. Simulations and tests pass their own.
 */

/** Milliseconds since 1970. */
export type Clock = () => number;

/** The platform's clock. */
export const systemClock: Clock = () => Date.now();

/** Calls back once after some time; the result takes the call back. */
export type Timer = (callback: () => void, delayMs: number) => () => void;

/** The platform's timer. */
export const systemTimer: Timer = (callback, delayMs) => {
  const id = setTimeout(callback, delayMs);
  return () => clearTimeout(id);
};

/** Lets everything else that waits have its turn. */
export const systemPause = (): Promise<void> =>
  new Promise((resolve) => void systemTimer(resolve, 0));

/** A number from 0 up to 1, for what need not be secret: jitter. */
export type Random = () => number;

/** The platform's pseudo-random numbers. */
export const systemRandom: Random = () => Math.random();

/** So many bytes that nobody can guess. */
export type RandomBytes = (length: number) => Uint8Array;

/** The platform's random numbers for keys and challenges. */
export const systemRandomBytes: RandomBytes = (length) =>
  crypto.getRandomValues(new Uint8Array(length));

/** The platform's WebSocket. */
export const systemSocket = (url: string, protocol: string): WebSocket =>
  new WebSocket(url, protocol);

/** Asks a web server. */
export type Fetch = (url: string, init?: RequestInit) => Promise<Response>;

/** The platform's `fetch`. */
export const systemFetch: Fetch = (url, init) => fetch(url, init);
