/** What the command tells people: plain lines, the newest last. */

/** Names that one line shows before it only counts. */
const NAMES_MAX = 4;

/** Writes lines to standard output, and progress over itself on a terminal. */
export class Printer {
  readonly #clock: () => number;
  readonly #isTerminal = Deno.stdout.isTerminal();
  #progressAt = 0;
  #hasProgress = false;

  /** `clock` gives the time in milliseconds. */
  constructor(clock: () => number) {
    this.#clock = clock;
  }

  /** A line of the summary at the start. */
  fact(name: string, value: string): void {
    this.#write(`  ${name.padEnd(9)} ${value}`);
  }

  /** Something that happened, with the time of day. */
  line(text: string): void {
    const time = new Date(this.#clock()).toTimeString().slice(0, 8);
    this.#write(`${time}  ${text}`);
  }

  /** How far long work is; at most four times a second, and only on a terminal. */
  progress(text: string): void {
    const now = this.#clock();
    if (!this.#isTerminal || now - this.#progressAt < 250) return;
    this.#progressAt = now;
    this.#hasProgress = true;
    this.#put(`\r\x1b[K${text}`);
  }

  #write(text: string): void {
    const clear = this.#hasProgress ? "\r\x1b[K" : "";
    this.#hasProgress = false;
    this.#put(`${clear}${printable(text)}\n`);
  }

  #put(text: string): void {
    const bytes = new TextEncoder().encode(text);
    for (let at = 0; at < bytes.length;) at += Deno.stdout.writeSync(bytes.subarray(at));
  }
}

/** A list of names as a line: the first few, and how many more. */
export function nameList(names: readonly string[]): string {
  const shown = names.slice(0, NAMES_MAX).join(", ");
  return names.length <= NAMES_MAX ? shown : `${shown} and ${names.length - NAMES_MAX} more`;
}

/** `count` with the right form of `noun`. */
export function counted(count: number, noun: string): string {
  return `${count.toLocaleString("en")} ${noun}${count === 1 ? "" : "s"}`;
}

/** File names come from strangers: what would steer the terminal is shown as its escape. */
function printable(text: string): string {
  return text.replace(
    /[\p{Cc}\p{Cf}\u2028\u2029]/gu,
    (char) => `\\u${char.codePointAt(0)!.toString(16).padStart(4, "0")}`,
  );
}
