/** What may stand in a `class` attribute. */

/** Text, a list of the same, or an object whose keys are classes where its values are truthy. */
export type ClassValue =
  | string
  | number
  | boolean
  | null
  | undefined
  | readonly ClassValue[]
  | { readonly [name: string]: unknown };

/** `value` as the text of a `class` attribute; empty for what is falsy. */
export function classText(value: ClassValue): string {
  if (Array.isArray(value)) return value.map(classText).filter((text) => text !== "").join(" ");
  if (typeof value === "object" && value !== null) {
    return Object.entries(value).filter(([, isOn]) => isOn).map(([name]) => name).join(" ");
  }
  return typeof value === "string" || typeof value === "number" ? String(value) : "";
}
