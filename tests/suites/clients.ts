/** Clients of a relay that talk about topics: what they hear, in order. */

import { MemoryStore } from "../../core/log/memory_store.ts";
import { Registry } from "../../core/repo/registry.ts";
import { connect, type Session } from "../../core/sync/session.ts";
import type { SessionOptions } from "../../core/sync/session_options.ts";
import type { SessionEvents } from "../../core/sync/session_status.ts";

/** What a {@link Client} has heard. */
export type Heard = {
  [Name in "announced" | "withdrawn" | "cast" | "rejected"]:
    & { readonly name: Name }
    & SessionEvents[Name];
}["announced" | "withdrawn" | "cast" | "rejected"];

/** A session, and all that it has heard. */
export interface Client extends Disposable {
  readonly session: Session;
  readonly registry: Registry;
  readonly heard: Heard[];
  /** Resolves when `test` holds, looked at whenever something is heard or the status changes. */
  until(test: () => boolean): Promise<void>;
}

/** Connects to `url`; tries again at once, so that tests of broken connections need not wait. */
export function startClient(url: string, options: SessionOptions = {}): Client {
  const registry = new Registry({ store: new MemoryStore() });
  const session = connect(registry, url, { random: () => 0, ...options });
  const heard: Heard[] = [];
  const looks = new Set<() => void>();
  const look = () => [...looks].forEach((one) => one());
  for (const name of ["announced", "withdrawn", "cast", "rejected"] as const) {
    session.on(name, (event) => {
      heard.push({ name, ...event } as Heard);
      look();
    });
  }
  session.on("status", look);
  return {
    session,
    registry,
    heard,
    until: (test) =>
      new Promise((resolve) => {
        const one = () => {
          if (!test()) return;
          looks.delete(one);
          resolve();
        };
        looks.add(one);
        one();
      }),
    [Symbol.dispose]: () => session.close(),
  };
}
