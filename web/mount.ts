/** Putting markup into a page. */

import { render } from "preact";
import { asChild } from "./cell.ts";

/**
 * Shows `view` (markup, text, or a function that gives them: a cell) in `element`, in place of what it
 * holds. The result takes it away again and stops its cells.
 */
export function mount(view: unknown, element: Element): () => void {
  element.replaceChildren();
  render(asChild(view), element);
  return () => render(null, element);
}
