/**
 * What core takes from the platform when its caller gives nothing else: the one place that names a
 * clock. Simulations and tests pass their own.
 */

/** Milliseconds since 1970. */
export type Clock = () => number;

/** The platform's clock. */
export const systemClock: Clock = () => Date.now();
