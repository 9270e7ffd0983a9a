/** Asking for a password. */

import { UsageError } from "../relay/exit_codes.ts";

/** What is typed at the terminal up to Enter, without showing it. UsageError without a terminal. */
export function askPassword(prompt: string): string {
  if (!Deno.stdin.isTerminal()) {
    throw new UsageError("there is no terminal to ask for a password: set STREAMO_PASSWORD");
  }
  const write = (text: string) => Deno.stderr.writeSync(new TextEncoder().encode(text));
  write(prompt);
  Deno.stdin.setRaw(true, { cbreak: true });
  try {
    return readLine();
  } finally {
    Deno.stdin.setRaw(false);
    write("\n");
  }
}

const ENTER = [10, 13];
const END_OF_INPUT = 4;
const BACKSPACE = [8, 127];
const CLEAR_LINE = 21;

function readLine(): string {
  let typed: number[] = [];
  const byte = new Uint8Array(1);
  while (Deno.stdin.readSync(byte) !== null) {
    if (ENTER.includes(byte[0]) || byte[0] === END_OF_INPUT) break;
    if (byte[0] === CLEAR_LINE) typed = [];
    else if (!BACKSPACE.includes(byte[0])) typed.push(byte[0]);
    else {
      // A character of UTF-8 is its first byte and the continuations (10xxxxxx) after it.
      while (typed.length > 0 && (typed[typed.length - 1] & 0xc0) === 0x80) typed.pop();
      typed.pop();
    }
  }
  return new TextDecoder().decode(Uint8Array.from(typed));
}
