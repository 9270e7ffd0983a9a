/**
 * What stands between peers and does not keep to what a WebSocket promises: it loses messages, brings
 * them twice, or the second one first. Peers may end a connection over it; nothing else may come of it.
 */

import type { Chance } from "./chance.ts";

type Data = string | Uint8Array;

/** Mangles what passes, until it is told to stop. */
export class Mangler {
  readonly #chance: Chance;
  isMangling = true;
  /** How many messages were mangled. */
  count = 0;

  constructor(chance: Chance) {
    this.#chance = chance;
  }

  /** What becomes of the messages of one way of a connection. */
  way(): (data: Data) => readonly Data[] {
    let held: Data | undefined;
    return (data) => {
      const late = held === undefined ? [] : [held];
      held = undefined;
      if (!this.isMangling || !this.#chance.is(0.02)) return [data, ...late];
      this.count++;
      switch (this.#chance.integer(0, 2)) {
        case 0:
          return late;
        case 1:
          return [data, data, ...late];
        default:
          held = data;
          return late;
      }
    };
  }
}
