/** A relay with many repos, and a client that follows all of them. */

import type { Key } from "../../core/identity/key.ts";
import type { Signer } from "../../core/identity/signer.ts";
import { MemoryStore } from "../../core/log/memory_store.ts";
import type { Store } from "../../core/log/store.ts";
import { systemTimer, type Timer } from "../../core/platform.ts";
import { Registry } from "../../core/repo/registry.ts";
import type { Repo } from "../../core/repo/repo.ts";
import { connect, type Session } from "../../core/sync/session.ts";
import { signerOf } from "./people.ts";
import { runOf } from "./runs.ts";
import { startRelay, type TestRelay, type TestRelayOptions } from "./relay.ts";
import { Traffic } from "./traffic.ts";
import { untilNews } from "./until_news.ts";

/** Long waits, which end when they are told to. */
export class Alarm {
  readonly #waiting = new Set<() => void>();
  /** Short ones are the platform's. */
  readonly timer: Timer = (callback, delayMs) => {
    if (delayMs < 30_000) return systemTimer(callback, delayMs);
    this.#waiting.add(callback);
    return () => void this.#waiting.delete(callback);
  };

  /** How many wait. */
  get size(): number {
    return this.#waiting.size;
  }

  /** Ends all of them. */
  ring(): void {
    const waiting = [...this.#waiting];
    this.#waiting.clear();
    for (const callback of waiting) callback();
  }
}

/** A client that follows all repos. */
export interface Client {
  readonly registry: Registry;
  readonly session: Session;
  readonly repos: readonly Repo[];
  readonly traffic: Traffic;
}

/** See the head of this file. */
export class ManyRepos implements AsyncDisposable {
  readonly signers: readonly Signer[];
  readonly alarm = new Alarm();
  readonly #authors = new Registry({ store: new MemoryStore() });
  /** All that ever connected. */
  readonly clients: Client[] = [];
  readonly #options: TestRelayOptions;
  #store: Store;
  #relay: TestRelay;

  private constructor(store: Store, signers: readonly Signer[], options: TestRelayOptions) {
    this.#options = { timer: this.alarm.timer, ...options };
    this.#store = store;
    this.signers = signers;
    this.#relay = startRelay(store, this.#options);
  }

  /** A relay over `store` that gets `count` repos. */
  static async open(
    count: number,
    store: Store = new MemoryStore(),
    options: TestRelayOptions = {},
  ): Promise<ManyRepos> {
    const signers: Signer[] = [];
    for (let i = 0; i < count; i++) signers.push(await signerOf(`author ${i}`));
    const world = new ManyRepos(store, signers, options);
    for (let i = 0; i < count; i++) await world.write(i, "first");
    return world;
  }

  get relay(): TestRelay {
    return this.#relay;
  }

  get keys(): Key[] {
    return this.signers.map(({ key }) => key);
  }

  /** The author of repo `i` writes, which comes to the relay, or to another registry. */
  write(i: number, text: string, registry = this.#relay.registry): Promise<void> {
    return this.#authors.with(this.signers[i], async (author) => {
      author.set({ text });
      await author.flush();
      await registry.with(author.key, async (repo) => {
        await repo.receive(await runOf(author, repo.log.length));
      });
    });
  }

  /** Connects a client that can sign the repos of `mine`; resolves when it has all that the relay has. */
  async connect(mine: readonly number[] = [], store: Store = new MemoryStore()): Promise<Client> {
    const traffic = new Traffic();
    const registry = new Registry({ store });
    const session = connect(registry, this.#relay.url, {
      openTransport: traffic.openTransport,
      signers: mine.map((i) => this.signers[i]),
      // Signs of life are asked for as in real life; it comes back sooner.
      timer: (callback, delayMs) =>
        systemTimer(callback, delayMs < 20_000 ? delayMs / 50 : delayMs),
    });
    const repos = await Promise.all(this.keys.map((key) => session.subscribe(key)));
    const client = { registry, session, repos, traffic };
    this.clients.push(client);
    await Promise.all(repos.map((repo) => session.synced(repo)));
    await Promise.all(repos.map((repo) => session.landed(repo)));
    await traffic.until(({ list, settled }) => list === settled);
    await this.heard(traffic);
    return client;
  }

  /** Waits until the relay has heard all that a client has said. */
  async heard({ sent }: Traffic): Promise<void> {
    while (![...this.#relay.conversations].some(({ heard }) => heard === sent)) {
      await new Promise((resolve) => setTimeout(resolve));
    }
  }

  /** Stops the relay and starts it again, over `store` if it is another one by now. */
  async restart(store = this.#store): Promise<void> {
    const { port } = this.#relay;
    await this.#relay.stop();
    this.#store = store;
    this.#relay = startRelay(store, { ...this.#options, port });
  }

  /** Waits until the relay has parked what is quiet: until it keeps at most `channels`. */
  async park(channels = 0): Promise<void> {
    const count = () => [...this.#relay.conversations].reduce((sum, c) => sum + c.channels.size, 0);
    while (count() > channels) {
      this.alarm.ring();
      await new Promise((resolve) => setTimeout(resolve));
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const { session } of this.clients) session.close();
    await this.#relay.stop();
  }
}

/** Resolves when `test` holds, looked at whenever a repo has something new. */
export function until(repo: Repo, test: () => boolean): Promise<void> {
  return untilNews([repo], test);
}
