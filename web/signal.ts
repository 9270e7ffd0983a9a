/** Signals: values that tell the cells, components and effects which have read them when they change. */

import * as signals from "@preact/signals";

/** A value to follow. */
export interface ReadonlySignal<T> {
  /** The value; reading it inside a cell, a component or an effect follows it. */
  readonly value: T;
  /** The value without following it. */
  peek(): T;
}

/** A value to follow and to set. */
export interface Signal<T> extends ReadonlySignal<T> {
  /** The value; setting it runs again what has read it. */
  value: T;
}

/** A signal that holds `value`. */
export function signal<T>(value: T): Signal<T> {
  return signals.signal(value);
}

/** A signal that holds what `compute` gives, for as long as what it has read stays the same. */
export function computed<T>(compute: () => T): ReadonlySignal<T> {
  return signals.computed(compute);
}

/**
 * Runs `run` now, and again whenever a signal changes that it has read. What it returns is called before
 * the next run and at the end; the result ends it.
 */
export function effect(run: () => void | (() => void)): () => void {
  return signals.effect(run);
}

/** Runs `change`; what follows the signals that it sets runs once, at the end. */
export function batch<T>(change: () => T): T {
  return signals.batch(change);
}
