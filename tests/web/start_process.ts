/** `deno task start` as a real process, over a copy of the site in a temporary folder. */

import assert from "node:assert/strict";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

const START = fileURLToPath(new URL("../../cli/start.ts", import.meta.url));
const HOME = fileURLToPath(new URL("../../web/home/", import.meta.url));

/** Variables of whoever runs the tests must not reach them; an empty one counts as not set. */
const NOT_SET = ["NAME", "USERNAME", "PASSWORD", "PORT", "WEB", "HOST", "ORIGIN", "FILES", "KEY"]
  .concat(["FILES_KEY", "DATA_DIR"])
  .map((name) => [`STREAMO_${name}`, ""]);

/** A folder with a copy of the site and a place for data; removed when `use` is done. */
export async function withSite(use: (site: Site) => Promise<void>): Promise<void> {
  const folder = await Deno.makeTempDir();
  const site = new Site(folder);
  try {
    await Deno.mkdir(site.files);
    for await (const { name } of Deno.readDir(HOME)) {
      await Deno.copyFile(join(HOME, name), join(site.files, name));
    }
    await use(site);
  } finally {
    await site.kill();
    await Deno.remove(folder, { recursive: true });
  }
}

/** The process and its folders. */
export class Site {
  readonly files: string;
  readonly data: string;
  /** Everything that the process has said. */
  said = "";
  #process: Deno.ChildProcess | undefined;
  #reading: Promise<void> = Promise.resolve();

  constructor(folder: string) {
    this.files = join(folder, "home");
    this.data = join(folder, "data");
  }

  /** Starts the process; gives the address that it says. Port 0 takes a free one. */
  async start(port = 0): Promise<string> {
    const process = this.#process = this.spawn(String(port));
    const { promise, resolve, reject } = Promise.withResolvers<string>();
    this.said = "";
    this.#reading = (async () => {
      for await (const text of process.stdout.pipeThrough(new TextDecoderStream())) {
        this.said += text;
        const match = /^ +Open (http:\S+)$/m.exec(this.said);
        if (match !== null) resolve(match[1]);
      }
      const errors = await new Response(process.stderr).text();
      reject(new Error(`the process ended, having said: ${this.said}${errors}`));
    })();
    return await promise;
  }

  /** The process, without waiting for anything. */
  spawn(port: string): Deno.ChildProcess {
    const args = ["run", "-A", "--no-check", START, "--port", port]
      .concat(["--files", this.files, "--data-dir", this.data]);
    const env = Object.fromEntries(NOT_SET);
    return new Deno.Command(Deno.execPath(), {
      args,
      env,
      stdin: "null",
      stdout: "piped",
      stderr: "piped",
    }).spawn();
  }

  /** Stops the process as Ctrl-C does; it must end well. */
  async stop(): Promise<void> {
    this.#process!.kill("SIGINT");
    assert.equal((await this.#process!.status).code, 0, this.said);
    await this.#reading.catch(() => undefined);
    this.#process = undefined;
  }

  /** Ends what is still running. */
  async kill(): Promise<void> {
    if (this.#process === undefined) return;
    this.#process.kill("SIGKILL");
    await this.#process.status;
    await this.#reading.catch(() => undefined);
  }

  /** Replaces `before` in a file, as an editor does. */
  async edit(name: string, before: string, after: string): Promise<void> {
    const file = join(this.files, name);
    const text = await Deno.readTextFile(file);
    assert.ok(text.includes(before), `${name} has no "${before}"`);
    await Deno.writeTextFile(file, text.replace(before, after));
  }
}
