import assert from "node:assert/strict";
import { join } from "node:path";
import {
  inTempFolder,
  person,
  portOf,
  type Program,
  relayProgram,
  streamo,
  until,
} from "../suites/cli.ts";

/** A device of `username` with a folder and a web server; its key and port. */
async function served(folder: string, username: string, ...more: string[]) {
  const args = ["--username", username, "--files", join(folder, "files"), "--web", "0", ...more];
  await Deno.mkdir(join(folder, "files"), { recursive: true });
  const program = streamo([...person(join(folder, "data")), ...args], { label: username });
  const [, key] = await program.line(/key +(\w+)/);
  return { program, key, port: await portOf(program), files: join(folder, "files") };
}

async function read(port: number, key: string, path: string): Promise<string> {
  const response = await fetch(`http://127.0.0.1:${port}/streams/${key}/${path}`);
  return response.ok ? await response.text() : (await response.body?.cancel(), "");
}

const origin = (port: number) => ["--origin", `localhost:${port}`];

Deno.test("relay processes in a row: killed in the middle, started again, nothing acknowledged is lost", async () => {
  await inTempFolder(async (folder) => {
    const at = (name: string) => join(folder, name);
    await using top = relayProgram(at("top"));
    const topPort = await portOf(top);
    const alice = await served(at("alice"), "alice", ...origin(topPort));
    await using _alice = alice.program;
    const feed = ["--feed", alice.key];
    const startMiddle = (port = 0): Program =>
      relayProgram(at("middle"), port, [...origin(topPort), ...feed]);
    const middle = startMiddle();
    const middlePort = await portOf(middle);
    await using bottom = relayProgram(at("bottom"), 0, origin(middlePort));
    const bottomPort = await portOf(bottom);
    await Deno.writeTextFile(join(alice.files, "a.txt"), "one");
    await until(
      "it is at the bottom",
      async () => await read(bottomPort, alice.key, "a.txt") === "one",
    );
    await middle.kill();
    await Deno.writeTextFile(join(alice.files, "a.txt"), "two");
    await bottom.line(/is away/);
    await using again = startMiddle(middlePort);
    await until("that too", async () => await read(bottomPort, alice.key, "a.txt") === "two");
    // From below: a device there, and the relay above is not there for a while.
    await top.stop();
    await again.line(/is away/);
    const bob = await served(at("bob"), "bob", ...origin(bottomPort));
    await using _bob = bob.program;
    await Deno.writeTextFile(join(bob.files, "b.txt"), "from bob");
    await bob.program.line(/has acknowledged everything \([1-9]/);
    const health = await (await fetch(`http://127.0.0.1:${middlePort}/healthz`)).json();
    assert.deepEqual(health.origins.map(({ state }: { state: string }) => state !== "online"), [
      true,
    ]);
    await using later = relayProgram(at("top"), topPort);
    await portOf(later);
    await until(
      "it is at the top",
      async () => await read(topPort, bob.key, "b.txt") === "from bob",
    );
    assert.equal((await again.stop()).code, 0);
  });
});

Deno.test("a command line with --web and --origin serves what its origin has, also of others", async () => {
  await inTempFolder(async (folder) => {
    await using relay = relayProgram(join(folder, "relay"));
    const port = await portOf(relay);
    const alice = await served(join(folder, "alice"), "alice", ...origin(port));
    await using _alice = alice.program;
    const bob = await served(join(folder, "bob"), "bob", ...origin(port));
    await using _bob = bob.program;
    await Deno.writeTextFile(join(alice.files, "a.txt"), "from alice");
    await until(
      "bob's serves it",
      async () => await read(bob.port, alice.key, "a.txt") === "from alice",
    );
    const carol = await served(join(folder, "carol"), "carol", ...origin(bob.port));
    await using _carol = carol.program;
    await Deno.writeTextFile(join(carol.files, "c.txt"), "from carol");
    await until("it goes up", async () => await read(port, carol.key, "c.txt") === "from carol");
  });
});
