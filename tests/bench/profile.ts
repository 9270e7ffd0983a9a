/**
 * Where the time of the measurements goes: `deno run -A tests/bench/profile.ts commits`. Takes what
 * main.ts takes. Prints the functions with the most time of their own, and with what they call; with
 * `--under=NAME` only of what is called from functions whose name begins so.
 */

import { join } from "node:path";
import { fileURLToPath } from "node:url";

/** What the engine writes: a tree of calls, and which of its nodes ran at each sample. */
interface Profile {
  readonly nodes: readonly CallNode[];
  readonly samples: readonly number[];
  /** Microseconds before each sample. */
  readonly timeDeltas: readonly number[];
}

interface CallNode {
  readonly id: number;
  readonly callFrame: {
    readonly functionName: string;
    readonly url: string;
    readonly lineNumber: number;
  };
  readonly children?: readonly number[];
}

const LINES = 30;

async function main(args: readonly string[]): Promise<number> {
  const under = args.find((arg) => arg.startsWith("--under="))?.slice("--under=".length);
  const directory = await Deno.makeTempDir();
  try {
    const bench = fileURLToPath(new URL("main.ts", import.meta.url));
    const flags = ["-A", "--no-check", "--cpu-prof", `--cpu-prof-dir=${directory}`];
    const { code } = await new Deno.Command(Deno.execPath(), {
      args: ["run", ...flags, bench, ...args.filter((arg) => !arg.startsWith("--under="))],
      stdin: "null",
    }).spawn().status;
    if (code !== 0) return code;
    // Processes that the measurements start are not profiled: there is one file.
    for await (const { name } of Deno.readDir(directory)) {
      print(JSON.parse(await Deno.readTextFile(join(directory, name))), under);
    }
    return 0;
  } finally {
    await Deno.remove(directory, { recursive: true });
  }
}

function print({ nodes, samples, timeDeltas }: Profile, under: string | undefined): void {
  const byId = new Map(nodes.map((node) => [node.id, node]));
  const callers = new Map(nodes.flatMap(({ id, children = [] }) => children.map((c) => [c, id])));
  const own = new Map<string, number>();
  const whole = new Map<string, number>();
  let total = 0;
  samples.forEach((sample, i) => {
    const stack: CallNode[] = [];
    for (let id: number | undefined = sample; id !== undefined; id = callers.get(id)) {
      stack.push(byId.get(id)!);
    }
    const isAsked = ({ callFrame }: CallNode) => callFrame.functionName.startsWith(under!);
    if (under !== undefined && !stack.some(isAsked)) return;
    const time = timeDeltas[i];
    total += time;
    add(own, label(stack[0]), time);
    for (const name of new Set(stack.map(label))) add(whole, name, time);
  });
  for (const [title, times] of [["time of its own", own], ["with what it calls", whole]] as const) {
    console.log(`\n${title}, of ${Math.round(total / 1000)} ms`);
    for (const [name, time] of [...times].sort(([, a], [, b]) => b - a).slice(0, LINES)) {
      console.log(`${(time / total * 100).toFixed(1).padStart(6)} %  ${name}`);
    }
  }
}

function add(times: Map<string, number>, name: string, time: number): void {
  times.set(name, (times.get(name) ?? 0) + time);
}

function label({ callFrame: { functionName, url, lineNumber } }: CallNode): string {
  const place = url === "" ? "" : ` ${url.split("/").slice(-2).join("/")}:${lineNumber + 1}`;
  return `${functionName || "(anonymous)"}${place}`;
}

Deno.exit(await main(Deno.args));
