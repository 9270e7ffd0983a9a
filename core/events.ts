/** Typed events: `on()` gives the function that takes the listener away again. */

/** Listeners by event name. An error in a listener reaches whoever emitted. */
export class Emitter<Events extends Record<string, unknown>> {
  readonly #listeners = new Map<keyof Events, Set<(event: never) => void>>();

  /** Calls `listener` on every `name`; the result stops it. */
  on<Name extends keyof Events>(name: Name, listener: (event: Events[Name]) => void): () => void {
    let listeners = this.#listeners.get(name);
    if (listeners === undefined) this.#listeners.set(name, listeners = new Set());
    // A wrapper, so that one function can listen twice.
    const own = (event: Events[Name]) => listener(event);
    listeners.add(own as (event: never) => void);
    return () => void listeners.delete(own as (event: never) => void);
  }

  /** Tells every listener, in the order in which they came. */
  emit<Name extends keyof Events>(name: Name, event: Events[Name]): void {
    for (const listener of [...this.#listeners.get(name) ?? []]) {
      (listener as (event: Events[Name]) => void)(event);
    }
  }
}
