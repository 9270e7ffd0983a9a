/** State of a page: an object whose properties are signals. */

import { batch, type Signal, signal } from "./signal.ts";

/**
 * A copy of `initial` whose properties are tracked where they are read and tell where they are set:
 *
 *     const page = liveObject({ count: 0 });
 *     mount(h`<button onClick=${() => page.count++}>${() => page.count}</button>`, document.body);
 *
 * Only the object itself is live: set a property to a new list or object rather than changing the old.
 */
export function liveObject<T extends Record<string, unknown>>(initial: T): T {
  const signals = new Map<PropertyKey, Signal<unknown>>();
  /** Counts the changes of which properties there are. */
  const names = signal(0);
  const tell = (name: PropertyKey, value: unknown, isOtherName: boolean) =>
    batch(() => {
      const property = signals.get(name);
      if (property !== undefined) property.value = value;
      if (isOtherName) names.value = names.peek() + 1;
    });
  return new Proxy({ ...initial }, {
    get(target, name, receiver) {
      let property = signals.get(name);
      if (property === undefined) {
        signals.set(name, property = signal(Reflect.get(target, name, receiver)));
      }
      return property.value;
    },
    set(target, name, value) {
      const isNew = !Object.hasOwn(target, name);
      Reflect.set(target, name, value);
      tell(name, value, isNew);
      return true;
    },
    deleteProperty(target, name) {
      Reflect.deleteProperty(target, name);
      tell(name, undefined, true);
      return true;
    },
    has(target, name) {
      return names.value >= 0 && Reflect.has(target, name);
    },
    ownKeys(target) {
      return names.value >= 0 ? Reflect.ownKeys(target) : [];
    },
  });
}
