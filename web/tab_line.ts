/** One end of a line between two tabs: what is said before the other end is there waits for it. */

import type { Port } from "../core/sync/port_transport.ts";

/** "I am on this line": said to all tabs, for the one that leads. */
export interface Knock {
  readonly knock: string;
  /** Who: the holder of the lock of that name. */
  readonly tab: string;
}

/** Whether another tab knocks. */
export function isKnock(news: unknown): news is Knock {
  const { knock, tab } = (news ?? {}) as Partial<Knock>;
  return typeof knock === "string" && typeof tab === "string";
}

/** The end of the tab that knocks. */
export class TabLine implements Port {
  /** Said by the other end when it is there. */
  static readonly OPEN = { open: true };
  /** What the line is called. */
  readonly name: string;
  readonly #channel: BroadcastChannel;
  /** Undefined when the other end is there. */
  #waiting: unknown[] | undefined = [];

  /** Opens this end. */
  constructor(name: string) {
    this.name = name;
    this.#channel = new BroadcastChannel(name);
    this.#channel.addEventListener("message", ({ data }) => {
      if (!isOpen(data)) return;
      const waiting = this.#waiting ?? [];
      this.#waiting = undefined;
      for (const message of waiting) this.#channel.postMessage(message);
    });
  }

  postMessage(message: unknown): void {
    if (this.#waiting === undefined) this.#channel.postMessage(message);
    else this.#waiting.push(message);
  }

  addEventListener(
    type: "message" | "messageerror",
    listener: (event: MessageEvent) => void,
  ): void {
    this.#channel.addEventListener(type, (event) => {
      if (!isOpen(event.data)) listener(event);
    });
  }

  close(): void {
    this.#channel.close();
  }
}

function isOpen(data: unknown): boolean {
  return typeof data === "object" && data !== null && "open" in data;
}
