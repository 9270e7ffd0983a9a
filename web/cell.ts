/**
 * Reactive cells: small components around the functions in a template. A component that reads a signal
 * while it renders is rendered again when the signal changes (`@preact/signals` sees to it), so a cell
 * alone is updated and not what is around it.
 */

import { Signal } from "@preact/signals";
import { type ComponentChildren, createElement, type VNode } from "preact";
import { classText, type ClassValue } from "./class_text.ts";

/** Attributes of an element, as written. */
export type Attributes = Readonly<Record<string, unknown>>;

/** A child that is a function: shows what the function gives. */
export function Cell({ run }: { readonly run: () => unknown }): ComponentChildren {
  return asChild(run());
}

/** An element of which an attribute is a function. */
export function Bound(
  { tag, attributes, children }: {
    readonly tag: string;
    readonly attributes: Attributes;
    readonly children?: ComponentChildren;
  },
): VNode {
  return createElement(tag, settled(attributes), children);
}

/** `value` as preact takes it: a function becomes a {@link Cell}, also inside lists. */
export function asChild(value: unknown): ComponentChildren {
  if (typeof value === "function") return createElement(Cell, { run: value as () => unknown });
  if (Array.isArray(value)) return value.map(asChild);
  return value as ComponentChildren;
}

/** Whether the attribute `name` with `value` is a cell: handlers and refs are functions too. */
export function isCell(name: string, value: unknown): boolean {
  return typeof value === "function" && !/^on/i.test(name) && name !== "ref";
}

/** `attributes` with cells run, and classes as text. */
export function settled(attributes: Attributes): Record<string, unknown> {
  const result: Record<string, unknown> = {};
  for (const [name, given] of Object.entries(attributes)) {
    const value = isCell(name, given) ? (given as () => unknown)() : given;
    const isClasses = name === "class" && typeof value === "object" && value !== null &&
      !(value instanceof Signal);
    result[name] = isClasses ? classText(value as ClassValue) : value;
  }
  return result;
}
