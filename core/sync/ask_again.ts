/** Refusals that are no verdict. */

import type { Code } from "../errors.ts";
import type { Timer } from "../platform.ts";
import type { Repo } from "../repo/repo.ts";

/** A peer whose store failed is asked so long after whether it has room again. */
const FULL_MS = 10_000;

/** A full disk is no verdict: what was refused for it is offered again. */
export class AskAgain {
  readonly #timer: Timer;
  readonly #ask: (repo: Repo) => void;
  readonly #refused = new Set<Repo>();
  #stop: () => void = () => {};

  /** `ask` offers a repo again. */
  constructor(timer: Timer, ask: (repo: Repo) => void) {
    this.#timer = timer;
    this.#ask = ask;
  }

  /** The peer does not take `repo`. */
  refused(repo: Repo, code: Code): void {
    if (code !== "storage") return;
    if (this.#refused.size === 0) this.#stop = this.#timer(() => this.#askAll(), FULL_MS);
    this.#refused.add(repo);
  }

  /** Nothing is offered again. */
  close(): void {
    this.#stop();
    this.#refused.clear();
  }

  #askAll(): void {
    const repos = [...this.#refused];
    this.#refused.clear();
    for (const repo of repos) this.#ask(repo);
  }
}
