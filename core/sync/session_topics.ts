/** What a session says and hears under topics. */

import type { Key } from "../identity/key.ts";
import type { Announcement, TopicMessage, TopicNews } from "./messages.ts";
import type { SessionEvents } from "./session_status.ts";

/** Who is interested here, and what is announced there, as far as was told. */
interface Interest {
  users: number;
  readonly present: Map<string, Announcement>;
}

/** An announcement that is made here. */
interface Announced {
  users: number;
  readonly topic: string;
  readonly announcement: Announcement;
}

/** What a session's topics need of it. */
export interface TopicsOfSession {
  /** Asks the peer, if there is one. */
  ask(message: TopicMessage): void;
  tell<Name extends "announced" | "withdrawn">(name: Name, event: SessionEvents[Name]): void;
}

/** Interests and announcements: said again at every new connection, until their users are done. */
export class SessionTopics {
  readonly #session: TopicsOfSession;
  readonly #interests = new Map<string, Interest>();
  readonly #announced = new Map<string, Announced>();

  /** Nothing is of interest yet. */
  constructor(session: TopicsOfSession) {
    this.#session = session;
  }

  /** Asks for what is announced and cast; the result ends that. */
  interest(topic: string): () => void {
    let interest = this.#interests.get(topic);
    if (interest === undefined) {
      this.#interests.set(topic, interest = { users: 0, present: new Map() });
      this.#session.ask({ type: "interest", topic });
    }
    return this.#use(interest, () => {
      this.#interests.delete(topic);
      this.#session.ask({ type: "uninterest", topic });
    });
  }

  /** Names a repo under a topic; the result ends that. */
  announce(topic: string, announcement: Announcement): () => void {
    const id = `${idOf(announcement)} ${topic}`;
    let announced = this.#announced.get(id);
    if (announced === undefined) {
      this.#announced.set(id, announced = { users: 0, topic, announcement });
      this.#session.ask({ type: "announce", topic, ...announcement });
    }
    return this.#use(announced, () => {
      this.#announced.delete(id);
      this.#session.ask({ type: "withdraw", topic, ...announcement });
    });
  }

  /** What is announced under a topic of interest, as far as was told. */
  present(topic: string): Announcement[] {
    return [...this.#interests.get(topic)?.present.values() ?? []];
  }

  /** Says everything again, to a peer that knows nothing of it. */
  renew(): void {
    // Announcements first: what this side makes itself is there when it hears what is there.
    for (const { topic, announcement } of this.#announced.values()) {
      this.#session.ask({ type: "announce", topic, ...announcement });
    }
    for (const topic of this.#interests.keys()) this.#session.ask({ type: "interest", topic });
  }

  /** Takes what the peer tells of announcements. */
  hear(news: Exclude<TopicNews, { type: "heard" }>): void {
    const { type, topic } = news;
    const present = this.#interests.get(topic)?.present;
    // It was on its way when the interest ended.
    if (present === undefined) return;
    if (type !== "present") return this.#change(present, type, topic, news);
    const ids = new Set(news.announcements.map(idOf));
    for (const [id, gone] of present) {
      if (!ids.has(id)) this.#change(present, "withdrawn", topic, gone);
    }
    for (const there of news.announcements) this.#change(present, "announced", topic, there);
  }

  /** Whether a topic is of interest here. */
  has(topic: string): boolean {
    return this.#interests.has(topic);
  }

  #change(
    present: Interest["present"],
    name: "announced" | "withdrawn",
    topic: string,
    { key, by }: Announcement,
  ): void {
    const announcement = { key, by };
    const id = idOf(announcement);
    if (present.has(id) === (name === "announced")) return;
    if (name === "announced") present.set(id, announcement);
    else present.delete(id);
    this.#session.tell(name, { topic, ...announcement });
  }

  /** Counts one user more; the result is for that one to call, once. */
  #use(used: { users: number }, end: () => void): () => void {
    used.users++;
    let isDone = false;
    return () => {
      if (isDone) return;
      isDone = true;
      if (--used.users === 0) end();
    };
  }
}

function idOf({ key, by }: { readonly key: Key; readonly by: Key | undefined }): string {
  return `${key} ${by ?? ""}`;
}
