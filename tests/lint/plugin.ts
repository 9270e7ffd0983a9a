/** The project's own lint rules, named in deno.json under `lint.plugins`. */

import { functionLines, noConsole, noEmptyCatch, noJsr } from "./house.ts";
import { layers } from "./layers.ts";
import { pureCore } from "./pure_core.ts";

const plugin: Deno.lint.Plugin = {
  name: "streamo",
  rules: {
    "layers": layers,
    "pure-core": pureCore,
    "no-jsr": noJsr,
    "function-lines": functionLines,
    "no-empty-catch": noEmptyCatch,
    "no-console": noConsole,
  },
};

export default plugin;
