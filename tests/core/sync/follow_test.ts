import assert from "node:assert/strict";
import { Link } from "../../../core/codec/value.ts";
import { type Key, parseKey } from "../../../core/identity/key.ts";
import { StreamoError } from "../../../core/errors.ts";
import type { Signer } from "../../../core/identity/signer.ts";
import { MemoryStore } from "../../../core/log/memory_store.ts";
import type { Repo } from "../../../core/repo/repo.ts";
import type { Follow } from "../../../core/sync/follow_links.ts";
import { type Client, startClient } from "../../suites/clients.ts";
import { signerOf } from "../../suites/people.ts";
import { startRelay, type TestRelay } from "../../suites/relay.ts";

const NAMES = ["home", "alice", "bob", "carol", "dave"] as const;
type Name = (typeof NAMES)[number];
const signers = new Map<Name, Signer>();
for (const name of NAMES) signers.set(name, await signerOf(name));
const keyOf = (name: Name): Key => signers.get(name)!.key;
const linkTo = (name: Name): Link => new Link(keyOf(name));

interface World {
  readonly relay: TestRelay;
  /** Sets a person's whole value, which is on the relay then. */
  write(name: Name, value: unknown): Promise<void>;
  /** A client that follows by `follow`. */
  reader(follow: Follow | "links"): Client;
}

async function withWorld(use: (world: World) => Promise<void>): Promise<void> {
  const relay = startRelay(new MemoryStore(), { home: keyOf("home") });
  const clients: Client[] = [];
  const start = (...args: Parameters<typeof startClient>) => {
    clients.push(startClient(...args));
    return clients.at(-1)!;
  };
  const writer = start(relay.url, { signers: [...signers.values()] });
  const repos = new Map<Name, Repo>();
  try {
    await use({
      relay,
      async write(name, value) {
        const repo = repos.get(name) ?? await writer.session.subscribe(keyOf(name));
        repos.set(name, repo);
        repo.set(value);
        await writer.session.landed(repo);
      },
      reader: (follow) => start(relay.url, { follow }),
    });
  } finally {
    for (const client of clients) client[Symbol.dispose]();
    await relay.stop();
  }
}

/** Whom a client follows. */
const followed = ({ session }: Client): Name[] =>
  NAMES.filter((name) => session.status.repos.some(({ key }) => key === keyOf(name)));

const untilFollowed = async (client: Client, ...names: Name[]) => {
  await client.until(() => followed(client).join() === names.join());
};

Deno.test("links are followed two steps from home, and let go where they are gone", () =>
  withWorld(async ({ write, reader, relay }) => {
    await write("home", { members: [linkTo("alice"), { who: linkTo("bob") }] });
    await write("alice", { friend: linkTo("carol") });
    await write("carol", { friend: linkTo("dave") });
    const client = reader("links");
    await untilFollowed(client, "home", "alice", "bob", "carol");
    // A step nearer, dave is near enough.
    await write("home", { members: [linkTo("alice"), linkTo("carol")] });
    await untilFollowed(client, "home", "alice", "carol", "dave");
    await write("home", { members: [linkTo("bob")] });
    await untilFollowed(client, "home", "bob");
    await write("home", "closed");
    await untilFollowed(client, "home");
    client.session.close();
    assert.equal(client.session.status.repos.length, 0);
    // Not even a reader of what nobody wrote leaves anything behind.
    assert.equal(await relay.registry.store.head(keyOf("bob")), undefined);
  }));

Deno.test("repos that name each other are let go together", () =>
  withWorld(async ({ write, reader }) => {
    await write("home", [linkTo("alice")]);
    await write("alice", [linkTo("bob"), linkTo("alice")]);
    await write("bob", [linkTo("alice"), linkTo("home")]);
    const client = reader("links");
    await untilFollowed(client, "home", "alice", "bob");
    await write("home", []);
    await untilFollowed(client, "home");
  }));

Deno.test("a function says what is followed, and is told how far from home it is", () =>
  withWorld(async ({ write, reader }) => {
    const depths = new Map<Key, number>();
    await write("home", { rooms: { x: keyOf("alice"), y: "no key", z: keyOf("bob") } });
    await write("alice", { rooms: { x: keyOf("carol") } });
    const client = reader((repo, subscribe, depth) => {
      depths.set(repo.key, depth);
      for (const [, text] of repo.entries(["rooms"])) {
        if (text !== "no key") subscribe(parseKey(text as string));
      }
    });
    await untilFollowed(client, "home", "alice", "bob", "carol");
    await client.until(() => depths.size === 4);
    const found = NAMES.slice(0, 4).map((name) => depths.get(keyOf(name)));
    assert.deepStrictEqual(found, [0, 1, 1, 2]);
  }));

Deno.test("what the application subscribed to itself is not let go of by following, nor the other way", () =>
  withWorld(async ({ write, reader }) => {
    await write("home", [linkTo("alice"), linkTo("bob")]);
    const client = reader("links");
    await untilFollowed(client, "home", "alice", "bob");
    await client.session.subscribe(keyOf("alice"));
    await client.session.subscribe(keyOf("bob"));
    client.session.unsubscribe(keyOf("bob"));
    assert.deepStrictEqual(followed(client), ["home", "alice", "bob"]);
    await write("home", []);
    await untilFollowed(client, "home", "alice");
    client.session.unsubscribe(keyOf("alice"));
    assert.deepStrictEqual(followed(client), ["home"]);
  }));

Deno.test("a repo that names thousands makes nobody follow more than 1,000, the nearest first", () =>
  withWorld(async ({ write, reader }) => {
    await write("home", [linkTo("alice"), linkTo("bob")]);
    const keys = Array.from({ length: 3000 }, (_, i) => {
      const letter = (n: number) => "abcdefghijklmnopqrstuvwxyz234567"[n % 32];
      return new Link(parseKey(letter(i) + letter(i >> 5) + letter(i >> 10) + "a".repeat(49)));
    });
    await write("alice", keys);
    const client = reader("links");
    await client.until(() => client.session.status.repos.length === 1000);
    assert.deepStrictEqual(followed(client), ["home", "alice", "bob"]);
    await write("alice", []);
    await client.until(() => client.session.status.repos.length === 3);
    assert.deepStrictEqual(followed(client), ["home", "alice", "bob"]);
  }));

Deno.test("a function that cannot read a repo keeps what it named before; the code is told", () =>
  withWorld(async ({ write, reader }) => {
    await write("home", [linkTo("alice")]);
    const client = reader(async (repo, subscribe) => {
      const value = await repo.load();
      if (value === "broken") throw new StreamoError("malformed", "what no chunk holds");
      for (const link of (value ?? []) as Link[]) subscribe(link.key);
    });
    await untilFollowed(client, "home", "alice");
    await write("home", "broken");
    await client.until(() => client.heard.some(({ name }) => name === "rejected"));
    const [rejected] = client.heard;
    assert.ok(rejected.name === "rejected" && rejected.key === keyOf("home"));
    assert.equal(rejected.code, "malformed");
    assert.deepStrictEqual(followed(client), ["home", "alice"]);
    await write("home", [linkTo("bob")]);
    await untilFollowed(client, "home", "bob");
  }));
