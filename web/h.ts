/**
 * Markup as tagged templates, without a build:
 *
 *     const count = signal(0);
 *     mount(h`<button class=${["big", { odd: () => .. }]} onClick=${() => count.value++}>
 *       clicked ${() => count.value} times
 *     </button>`, document.body);
 */

import htm from "htm";
import { type ComponentChildren, type ComponentType, createElement, type VNode } from "preact";
import { asChild, type Attributes, Bound, isCell, settled } from "./cell.ts";

/** What a template gives: one element, a list of them, or text. */
export type View = ComponentChildren;

/** The tag of a template. */
export type Template = (strings: TemplateStringsArray, ...values: unknown[]) => View;

/** Elements and components with cells where functions stand. */
function element(
  type: string | ComponentType<Attributes>,
  attributes: Attributes | null,
  ...children: unknown[]
): VNode {
  const given = attributes ?? {};
  const content = children.map(asChild);
  // A component's functions are its own: callbacks, or cells that it hands to its elements.
  if (typeof type !== "string") return createElement(type, given, ...content);
  if (!Object.entries(given).some(([name, value]) => isCell(name, value))) {
    return createElement(type, settled(given), ...content);
  }
  const { key, ...rest } = given;
  const props = { key: key as string | undefined, tag: type, attributes: rest };
  return createElement(Bound, props, ...content) as VNode;
}

/**
 * Markup. In it, `${value}` is a child, an attribute's value, or a component (`<${Card} ...>`); `...${object}`
 * spreads attributes; `key=${id}` keeps elements of a list apart; `class` takes text, lists, and objects
 * of flags. A function as a child or as an attribute's value (other than `on...` and `ref`) is a cell:
 * it runs again when a signal, or a repo behind `live()`, changes that it has read.
 */
// htm calls what it is bound to; its package declares types for CommonJS only.
export const h: Template = (htm as unknown as Template).bind(element);
