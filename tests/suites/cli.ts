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
  /** A user id to run as; for that this process must be root. */
  readonly uid?: number;
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
  /** Resolves when the process has ended and all of its output is here. */
  readonly ended: Promise<Ending>;
  readonly #child: Deno.ChildProcess;
  readonly #listeners = new Set<() => void>();
  #isRunning = true;

  /** Starts a script of the project. */
  constructor(script: string, args: readonly string[], options: ProgramOptions = {}) {
    const { label = script, env = {}, cwd, uid } = options;
    this.label = label;
    const own = Object.entries(Deno.env.toObject()).filter(([name]) => !/^STREAMO_/.test(name));
    this.#child = new Deno.Command(Deno.execPath(), {
      args: ["run", "-A", "--no-prompt", ROOT + script, ...args],
      env: { ...Object.fromEntries(own), NO_COLOR: "1", ...env },
      clearEnv: true,
      cwd,
      uid,
      stdin: "null",
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

  /** Asks it to stop, and gives what it ended with. */
  async stop(): Promise<Ending> {
    if (this.#isRunning) this.#child.kill("SIGTERM");
    return await this.ended;
  }

  /** Ends it in the middle of whatever it does. */
  async kill(): Promise<Ending> {
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

/** `streamo` with these flags; the password is "correct horse" unless `env` says otherwise. */
export function streamo(args: readonly string[], options: ProgramOptions = {}): Program {
  const env = { STREAMO_PASSWORD: "correct horse", ...options.env };
  return new Program("cli/main.ts", args, { label: "streamo", ...options, env });
}

/** `--name notes --username alice`, and where everything is. */
export function person(dataDir: string): string[] {
  return ["--name", "notes", "--username", "alice", "--data-dir", dataDir];
}

/** A relay alone on a free port (or `port`), with its data in `dataDir`. */
export function relayProgram(dataDir: string, port = 0): Program {
  const args = ["--host", "127.0.0.1", "--port", `${port}`, "--data-dir", dataDir];
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
