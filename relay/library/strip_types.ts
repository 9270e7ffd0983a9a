/** TypeScript to JavaScript by leaving types out: positions stay, so traces name source lines. */

import * as nodeModule from "node:module";

/** Gives JavaScript for TypeScript whose syntax is erasable. */
export type StripTypes = (source: string) => string;

let chosen: Promise<StripTypes> | undefined;

/** The platform's own stripper, or that of the `amaro` package where there is none. */
export function typeStripper(): Promise<StripTypes> {
  const strip = platformStripper();
  chosen ??= strip === undefined ? amaroStripper() : Promise.resolve(strip);
  return chosen;
}

/** `node:module`'s, where it exists. */
export function platformStripper(): StripTypes | undefined {
  const strip: unknown = Reflect.get(nodeModule, "stripTypeScriptTypes");
  return typeof strip === "function" ? (source) => strip(source) as string : undefined;
}

/** The one that Node itself is made with, as a package. */
export async function amaroStripper(): Promise<StripTypes> {
  const { transformSync } = await import("amaro");
  return (source) => transformSync(source, { mode: "strip-only" }).code;
}
