/** `streamo` as somebody whom file permissions bind, also where the tests run as root. */

import process from "node:process";
import { main } from "../../cli/main.ts";

/** The user id of "nobody". */
export const NOBODY = 65534;

if (import.meta.main) {
  // Only now: the modules may be where nobody can read them.
  if (Deno.uid() === 0) process.seteuid?.(NOBODY);
  Deno.exit(await main(Deno.args));
}
