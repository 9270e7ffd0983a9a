/** Processes of their own, spoken to in lines. */

import { fileURLToPath } from "node:url";

/** A script in a process of its own. */
export interface Child {
  /** The next line that it prints. */
  line(): Promise<string>;
  /** Ends it and waits until it is gone. */
  stop(): Promise<void>;
}

/** Starts `script` (beside this file) with `args`. */
export function startChild(script: string, ...args: readonly (string | number)[]): Child {
  const file = fileURLToPath(new URL(script, import.meta.url));
  const child = new Deno.Command(Deno.execPath(), {
    args: ["run", "-A", "--no-check", "--v8-flags=--expose-gc", file, ...args.map(String)],
    stdin: "null",
    stdout: "piped",
    stderr: "inherit",
  }).spawn();
  const reader = child.stdout.pipeThrough(new TextDecoderStream()).getReader();
  let text = "";
  return {
    async line() {
      while (!text.includes("\n")) {
        const { done, value } = await reader.read();
        if (done) throw new Error(`${script} ended before its next line`);
        text += value;
      }
      const end = text.indexOf("\n");
      const line = text.slice(0, end);
      text = text.slice(end + 1);
      return line;
    },
    async stop() {
      await reader.cancel();
      try {
        child.kill();
      } catch (error) {
        // It has ended by itself.
        if (!(error instanceof TypeError)) throw error;
      }
      await child.status;
    },
  };
}
