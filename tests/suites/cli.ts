/** Real processes of the command line: started, listened to line by line, stopped and killed. */

import { fileURLToPath } from "node:url";

const ROOT = fileURLToPath(new URL("../../", import.meta.url));
/** A machine that is busy with other things must not fail a test. */
const PATIENCE_MS = 60_000;

/** How a {@link Program} is started. */
export interface ProgramOptions {
  /** What failures call it. */
  readonly label?: string;
  /** Variables besides those of this process, of which STREAMO_* are left out. */
  readonly env?: Readonly<Record<string, string>>;
  /** The folder that it runs in. */
  readonly cwd?: string;
  /** Gives it a terminal (see {@link hasTerminals}), where {@link Program.type} types. */
  readonly terminal?: boolean;
}

/** What a program ended with. */
export interface Ending {
  readonly code: number;
  readonly signal: Deno.Signal | null;
  readonly stdout: readonly string[];
  readonly stderr: readonly string[];
}

/** One process and the lines that it has printed. */
export class Program implements AsyncDisposable {
  /** Standard output and standard error, in the order of arrival. */
  readonly lines: string[] = [];
  readonly label: string;
  /** All of it, with what is not a whole line yet. */
  output = "";
  /** Resolves when the process has ended and all of its output is here. */
  readonly ended: Promise<Ending>;
  readonly #child: Deno.ChildProcess;
  readonly #listeners = new Set<() => void>();
  readonly #hasTerminal: boolean;
  #wasKilled = false;
  #isRunning = true;

  /** Starts a script of the project. */
  constructor(script: string, args: readonly string[], options: ProgramOptions = {}) {
    const { label = script, env = {}, cwd, terminal = false } = options;
    this.label = label;
    this.#hasTerminal = terminal;
    const own = Object.entries(Deno.env.toObject()).filter(([name]) => !/^STREAMO_/.test(name));
    const command = [Deno.execPath(), "run", "-A", "--no-prompt", ROOT + script, ...args];
    const [program, ...rest] = terminal ? inTerminal(command) : command;
    this.#child = new Deno.Command(program, {
      args: rest,
      env: { ...Object.fromEntries(own), NO_COLOR: "1", ...env },
      clearEnv: true,
      cwd,
      stdin: terminal ? "piped" : "null",
      stdout: "piped",
      stderr: "piped",
    }).spawn();
    this.ended = this.#listen();
  }

  /** The number of its process. */
  get pid(): number {
    return this.#child.pid;
  }

  /** Whether it has not ended. */
  get isRunning(): boolean {
    return this.#isRunning;
  }

  /** Whether {@link kill} was called. */
  get wasKilled(): boolean {
    return this.#wasKilled;
  }

  /** The first line from number `from` on that matches; waits for it. */
  line(pattern: RegExp, from = 0): Promise<RegExpExecArray> {
    let next = from;
    const find = (): RegExpExecArray | undefined => {
      for (; next < this.lines.length; next++) {
        const match = pattern.exec(this.lines[next]);
        if (match !== null) return match;
      }
    };
    return new Promise((resolve, reject) => {
      const settle = (work: () => void): void => {
        clearTimeout(timer);
        this.#listeners.delete(look);
        work();
      };
      const fail = (why: string): void => {
        const said = this.lines.slice(-30).map((line) => `  ${line}`).join("\n");
        const error = new Error(`${this.label} ${why} ${pattern}; it said:\n${said}`);
        settle(() => reject(error));
      };
      const look = (): void => {
        const match = find();
        if (match !== undefined) settle(() => resolve(match));
        else if (!this.#isRunning) fail("ended without a line that matches");
      };
      const timer = setTimeout(() => fail("printed no line that matches"), PATIENCE_MS);
      this.#listeners.add(look);
      look();
    });
  }

  /** Types at its terminal. */
  async type(text: string): Promise<void> {
    const writer = this.#child.stdin.getWriter();
    await writer.write(new TextEncoder().encode(text));
    writer.releaseLock();
  }

  /** Asks it to stop, and gives what it ended with. */
  async stop(): Promise<Ending> {
    if (this.#isRunning) this.#child.kill("SIGTERM");
    return await this.ended;
  }

  /** Ends it in the middle of whatever it does. */
  async kill(): Promise<Ending> {
    this.#wasKilled = true;
    if (this.#isRunning) this.#child.kill("SIGKILL");
    return await this.ended;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.kill();
  }

  async #listen(): Promise<Ending> {
    const [stdout, stderr, { code, signal }] = await Promise.all([
      this.#read(this.#child.stdout),
      this.#read(this.#child.stderr),
      this.#child.status,
    ]);
    this.#isRunning = false;
    if (this.#hasTerminal) await this.#child.stdin.close();
    this.#wake();
    return { code, signal, stdout, stderr };
  }

  async #read(stream: ReadableStream<BufferSource>): Promise<string[]> {
    const own: string[] = [];
    const add = (line: string): void => {
      own.push(line);
      this.lines.push(line);
    };
    let rest = "";
    for await (const text of stream.pipeThrough(new TextDecoderStream())) {
      this.output += text;
      const parts = (rest + text).split("\n");
      rest = parts.pop()!;
      parts.forEach(add);
      this.#wake();
    }
    if (rest !== "") add(rest);
    return own;
  }

  #wake(): void {
    for (const look of [...this.#listeners]) look();
  }
}

/** Whether programs can be given a terminal here: by the command `script` of util-linux. */
export function hasTerminals(): boolean {
  if (Deno.build.os !== "linux") return false;
  try {
    return new Deno.Command("script", { args: ["--version"] }).outputSync().success;
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return false;
    throw error;
  }
}

function inTerminal(command: readonly string[]): string[] {
  const quoted = command.map((word) => `'${word.replaceAll("'", `'\\''`)}'`).join(" ");
  // `script` runs this by $SHELL: one that stayed as the parent would be ended by Ctrl-C itself.
  return ["script", "--quiet", "--flush", "--return", "--command", `exec ${quoted}`, "/dev/null"];
}

/** `streamo` with these flags; the password is "correct horse" unless `env` says otherwise. */
export function streamo(
  args: readonly string[],
  { script = "cli/main.ts", ...options }: ProgramOptions & { readonly script?: string } = {},
): Program {
  const env = { STREAMO_PASSWORD: "correct horse", ...options.env };
  return new Program(script, args, { label: "streamo", ...options, env });
}

/** `--name notes --username alice`, and where everything is. */
export function person(dataDir: string): string[] {
  return ["--name", "notes", "--username", "alice", "--data-dir", dataDir];
}

/** A relay alone on a free port (or `port`), with its data in `dataDir`. */
export function relayProgram(dataDir: string, port = 0, more: readonly string[] = []): Program {
  const args = ["--host", "127.0.0.1", "--port", `${port}`, "--data-dir", dataDir, ...more];
  return new Program("relay/main.ts", args, { label: "relay" });
}

/** The port in the line that tells where a program listens. */
export async function portOf(program: Program): Promise<number> {
  const [, port] = await program.line(/http:\/\/[^/]*:(\d+)\//);
  return Number(port);
}

/** Waits until `look` is true, looking again and again. */
export async function until(what: string, look: () => boolean | Promise<boolean>): Promise<void> {
  const deadline = performance.now() + PATIENCE_MS;
  while (!await look()) {
    if (performance.now() > deadline) throw new Error(`in vain: ${what}`);
    const { promise, resolve } = Promise.withResolvers<void>();
    setTimeout(resolve, 50);
    await promise;
  }
}

/** Runs `work` with a fresh folder, which is removed afterwards. */
export async function inTempFolder(work: (folder: string) => Promise<void>): Promise<void> {
  const folder = await Deno.makeTempDir({ prefix: "streamo-" });
  try {
    await work(folder);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}
