/** How the tests of the rules run them. */

import plugin from "./plugin.ts";

/** What the rule `streamo/RULE` says about `source` as the file at `path`. */
export function messages(rule: string, path: string, source: string): string[] {
  return Deno.lint.runPlugin(plugin, path, source)
    .filter(({ id }) => id === `streamo/${rule}`)
    .map(({ message }) => message);
}
