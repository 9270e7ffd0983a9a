/** By way of which relays something is asked for or said, so that relays in circles let go of it. */

import type { Random } from "../platform.ts";

/** Names of relays, in the order in which they passed it on. */
export type Via = readonly string[];

/** Relays in a row: a longer way is a mistake, or an attack. */
export const VIA_MAX = 15;

/** A name for a relay, by chance. */
export function newName(random: Random): string {
  return Math.floor(random() * 2 ** 52).toString(36).padStart(11, "0");
}

/**
 * What a relay called `own` says to one called `to` of something that came to it on `ways`: by the shortest
 * one that does not lead by way of `to`. Undefined if there is none. Of equally short ones it is always the
 * same: what is said of a way of some length follows from ways that are shorter, and so comes to rest.
 */
export function wayTo(ways: readonly Via[], to: string | undefined, own: string): Via | undefined {
  let best: Via | undefined;
  for (const via of ways) {
    const isShorter = best === undefined || via.length < best.length ||
      via.length === best.length && via.join() < best.join();
    if (isShorter && (to === undefined || !via.includes(to))) best = via;
  }
  return best && [...best, own];
}

/**
 * Whether a relay called `own`, which is asked on `ways`, leaves it to `peer` to ask: one of two that would
 * ask each other is enough. Only what the other asks for by itself counts: what it asks for because others
 * ask it may follow from what is asked of it here, and so would never come to rest.
 */
export function leavesTo(peer: string, ways: readonly Via[], own: string): boolean {
  return peer < own && ways.some((via) => via.length === 1 && via[0] === peer);
}
