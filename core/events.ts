/** Typed events: `on()` gives the function that takes the listener away again. */

/** Gets what a listener of `name` threw. */
export type OnListenerError = (error: unknown, name: PropertyKey) => void;

/**
 * Listeners by event name. What a listener throws never reaches whoever emitted, who has done its
 * work by then, nor keeps the news from other listeners.
 */
export class Emitter<Events extends Record<string, unknown>> {
  readonly #listeners = new Map<keyof Events, Set<(event: never) => void>>();
  readonly #onError: OnListenerError;

  /** By default an error of a listener is an uncaught one. */
  constructor(onError: OnListenerError = throwUncaught) {
    this.#onError = onError;
  }

  /** Calls `listener` on every `name`; the result stops it. */
  on<Name extends keyof Events>(name: Name, listener: (event: Events[Name]) => void): () => void {
    let listeners = this.#listeners.get(name);
    if (listeners === undefined) this.#listeners.set(name, listeners = new Set());
    // A wrapper, so that one function can listen twice.
    const own = (event: Events[Name]) => listener(event);
    listeners.add(own as (event: never) => void);
    return () => void listeners.delete(own as (event: never) => void);
  }

  /** Whether anybody listens to `name`. */
  has(name: keyof Events): boolean {
    return (this.#listeners.get(name)?.size ?? 0) > 0;
  }

  /** Tells every listener, in the order in which they came. */
  emit<Name extends keyof Events>(name: Name, event: Events[Name]): void {
    for (const listener of [...this.#listeners.get(name) ?? []]) {
      try {
        (listener as (event: Events[Name]) => void)(event);
      } catch (error) {
        this.#onError(error, name);
      }
    }
  }
}

/** Throws where nobody can catch it: the platform reports it, as it does for its own events. */
export function throwUncaught(error: unknown): void {
  queueMicrotask(() => {
    throw error;
  });
}
