/** Asking for a password. */

import { UsageError } from "../relay/exit_codes.ts";

/**
 * What is typed at the terminal up to Enter, without showing it. UsageError without a terminal, or
 * when `signal` aborts before that.
 */
export async function askPassword(prompt: string, signal: AbortSignal): Promise<string> {
  if (!Deno.stdin.isTerminal()) {
    throw new UsageError("there is no terminal to ask for a password: set STREAMO_PASSWORD");
  }
  const write = (text: string) => Deno.stderr.writeSync(new TextEncoder().encode(text));
  // Before the prompt: what is typed as soon as it shows must not show.
  Deno.stdin.setRaw(true, { cbreak: true });
  try {
    write(prompt);
    return await readLine(signal);
  } finally {
    Deno.stdin.setRaw(false);
    write("\n");
  }
}

const ENTER = [10, 13];
const END_OF_INPUT = 4;
const BACKSPACE = [8, 127];
const CLEAR_LINE = 21;

async function readLine(signal: AbortSignal): Promise<string> {
  let typed: number[] = [];
  for (let byte = await readByte(signal); byte !== undefined; byte = await readByte(signal)) {
    if (ENTER.includes(byte) || byte === END_OF_INPUT) break;
    if (byte === CLEAR_LINE) typed = [];
    else if (!BACKSPACE.includes(byte)) typed.push(byte);
    else {
      // A character of UTF-8 is its first byte and the continuations (10xxxxxx) after it.
      while (typed.length > 0 && (typed[typed.length - 1] & 0xc0) === 0x80) typed.pop();
      typed.pop();
    }
  }
  return new TextDecoder().decode(Uint8Array.from(typed));
}

/** Undefined at the end of the input. A read that waits does not keep Ctrl-C from being heard. */
async function readByte(signal: AbortSignal): Promise<number | undefined> {
  const byte = new Uint8Array(1);
  const stopped = Promise.withResolvers<never>();
  const stop = () => stopped.reject(new UsageError("stopped before a password was typed"));
  if (signal.aborted) stop();
  signal.addEventListener("abort", stop);
  try {
    const count = await Promise.race([Deno.stdin.read(byte), stopped.promise]);
    return count === null ? undefined : byte[0];
  } finally {
    signal.removeEventListener("abort", stop);
  }
}
