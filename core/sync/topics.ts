/**
 * Who is interested in which topics, and what is announced there: of all peers of one process, and by way
 * of relays of others. What is said by way of a relay comes with the names of those that it passed; nobody passes it on to one
 * of them, so that it ends everywhere when whoever said it is gone, in circles of relays too.
 */

import {
  type Clock,
  type RandomBytes,
  systemClock,
  systemRandom,
  systemRandomBytes,
  systemTimer,
  type Timer,
} from "../platform.ts";
import {
  ANNOUNCED_MAX,
  type Announcement,
  CAST_ID_BYTES,
  CAST_MAX_BYTES,
  encodeMessage,
  type TopicMessage,
  type TopicNews,
} from "./messages.ts";
import { SeenCasts } from "./seen_casts.ts";
import { TokenBucket } from "./token_bucket.ts";
import {
  halfOf,
  TOPIC_LIMITS,
  type TopicLimits,
  type TopicPeerLimits,
  type TopicsOptions,
} from "./topic_limits.ts";
import {
  type Announced,
  idOf,
  isBelieved,
  type Member,
  ownName,
  refuse,
  type Seat,
  tell,
  tellAll,
  type Topic,
  type TopicAnnouncement,
  type TopicLink,
  type TopicPeer,
} from "./topic_members.ts";
import { TopicSpeaker } from "./topic_speaker.ts";
import { newName, type Via, VIA_MAX, wayTo } from "./via.ts";

type Of<Type extends TopicMessage["type"]> = Extract<TopicMessage, { readonly type: Type }>;

/** Passes on what is said under topics, and stores nothing. */
export class Topics {
  /** What this process is called in `via`; another one after each start. */
  readonly name: string;
  readonly #topics = new Map<string, Topic>();
  /** Relays that are asked by this one. */
  readonly #links = new Map<Member, TopicSpeaker>();
  readonly #seen = new SeenCasts();
  readonly #clock: Clock;
  readonly #timer: Timer;
  readonly #randomBytes: RandomBytes;
  readonly #limits: TopicLimits;
  #entries = 0;

  /** Nobody is here yet. */
  constructor(options: TopicsOptions = {}) {
    this.name = options.name ?? newName(options.random ?? systemRandom);
    this.#clock = options.clock ?? systemClock;
    this.#timer = options.timer ?? systemTimer;
    this.#randomBytes = options.randomBytes ?? systemRandomBytes;
    this.#limits = { ...TOPIC_LIMITS, ...options.limits };
  }

  /** Topics that somebody is interested in, or announces something under. */
  get size(): number {
    return this.#topics.size;
  }

  /** Gives a connection its place. */
  join(peer: TopicPeer): Seat {
    const member = this.#member(
      peer,
      peer.relay === undefined ? this.#limits : this.#limits.relays,
    );
    return { take: (message) => this.#take(member, message), leave: () => this.#leave(member) };
  }

  /** Passes on what is said here to a relay that this process asks, and what is said there to all here. */
  link(peer: TopicPeer): TopicLink {
    const { relays: limits } = this.#limits;
    const member = this.#member(peer, limits);
    const speaker = new TopicSpeaker({
      send: (message) => peer.send(encodeMessage(message)),
      limits: halfOf(limits),
      clock: this.#clock,
      timer: this.#timer,
    });
    this.#links.set(member, speaker);
    for (const [name, { announced }] of this.#topics) {
      this.#spreadInterest(name);
      for (const { key } of announced.values()) this.#spreadUp(name, key);
    }
    return {
      hear: (news) => this.#hear(member, news),
      leave: () => {
        speaker.end();
        this.#links.delete(member);
        this.#leave(member);
      },
    };
  }

  #member(peer: TopicPeer, limits: TopicPeerLimits): Member {
    return {
      peer,
      limits,
      interests: new Set(),
      announcements: new Map(),
      told: new Map(),
      changes: new TokenBucket(limits.changes, this.#clock),
      casts: new TokenBucket(limits.casts, this.#clock),
      isTold: false,
    };
  }

  #take(member: Member, message: TopicMessage): void {
    if (message.type === "cast") return this.#cast(member, message);
    // To take back is always allowed: what it costs was paid for before.
    if (message.type === "uninterest") return this.#uninterest(member, message.topic);
    if (message.type === "withdraw") return this.#withdraw(member, message);
    if (!member.changes.take()) {
      return refuse(member, message, "rate", "too many changes of interests and announcements");
    }
    const via = member.peer.relay === undefined ? [] : message.via ?? [];
    if (via.length > VIA_MAX || via.includes(this.name)) {
      return refuse(
        member,
        message,
        "refused",
        "it has come by way of too many relays, or of this",
      );
    }
    if (message.type === "interest") this.#interest(member, message, via);
    else this.#announce(member, message, via);
  }

  #interest(member: Member, message: Of<"interest">, via: Via): void {
    const { topic: name } = message;
    const { interests, limits } = member;
    const isNew = !interests.has(name);
    if (isNew) {
      if (interests.size >= limits.interests) {
        const text = `more than ${limits.interests} topics on one connection`;
        return refuse(member, message, "refused", text);
      }
      if (!this.#takeEntry(member, message)) return;
      interests.add(name);
    }
    const topic = this.#topic(name);
    topic.interested.set(member, via);
    const isRelay = member.peer.relay !== undefined;
    const all = [...topic.announced.values()];
    // A relay is told of each with its way: that may be too long for one message.
    const announcements = isRelay ? [] : all.map(({ key, by }) => ({ key, by }));
    if (isNew || !isRelay) tell(member, { type: "present", topic: name, announcements });
    if (isRelay) { for (const announced of all) this.#tellRelay(member, name, announced); }
    this.#spreadInterest(name);
  }

  #uninterest(member: Member, name: string): void {
    if (!member.interests.delete(name)) return;
    this.#entries--;
    const topic = this.#topic(name);
    topic.interested.delete(member);
    for (const one of topic.announced.values()) this.#forgetTold(member, ownName(name, one));
    this.#spreadInterest(name);
    this.#forgetEmpty(name);
  }

  #announce(member: Member, message: Of<"announce">, via: Via): void {
    const { topic: name, key, by } = message;
    if (!isBelieved(member, message)) return;
    const known = member.announcements.has(ownName(name, message));
    const { announcements } = member.limits;
    if (!known && member.announcements.size >= announcements) {
      const text = `more than ${announcements} announcements on one connection`;
      return refuse(member, message, "refused", text);
    }
    if (!known && !this.#hasRoom(name, message)) {
      const text = `more than ${ANNOUNCED_MAX} announcements under "${name}"`;
      return refuse(member, message, "refused", text);
    }
    if (!known && !this.#takeEntry(member, message)) return;
    this.#put(member, { topic: name, key, by }, via);
  }

  #hasRoom(name: string, announcement: Announcement): boolean {
    const known = this.#topics.get(name)?.announced;
    return known === undefined || known.size < ANNOUNCED_MAX || known.has(idOf(announcement));
  }

  /** `member` announces it, by way of these relays; an entry is taken for it. */
  #put(member: Member, announcement: TopicAnnouncement, via: Via): void {
    const { topic: name, key, by } = announcement;
    const id = idOf(announcement);
    member.announcements.set(ownName(name, announcement), announcement);
    const topic = this.#topic(name);
    const known = topic.announced.get(id);
    const announced = known ?? { key, by, ways: new Map<Member, Via>() };
    announced.ways.set(member, via);
    topic.announced.set(id, announced);
    if (known === undefined) tellAll(topic, { type: "announced", topic: name, key, by });
    this.#spread(name, announcement);
  }

  #withdraw(member: Member, announcement: TopicAnnouncement): void {
    const { topic: name, key, by } = announcement;
    const id = idOf(announcement);
    if (!member.announcements.delete(ownName(name, announcement))) return;
    this.#entries--;
    const topic = this.#topic(name);
    const { ways } = topic.announced.get(id)!;
    ways.delete(member);
    if (ways.size === 0) {
      topic.announced.delete(id);
      tellAll(topic, { type: "withdrawn", topic: name, key, by });
    }
    this.#spread(name, announcement);
    this.#forgetEmpty(name);
  }

  #cast(member: Member, message: Of<"cast">): void {
    const { topic: name, data, by } = message;
    const isTooMuch = !member.casts.take();
    const wasTold = member.isTold;
    member.isTold = isTooMuch;
    if (isTooMuch) {
      if (wasTold) return;
      return refuse(member, message, "rate", "too many casts; the next ones are dropped too");
    }
    if (data.length > CAST_MAX_BYTES) {
      const text = `a cast of ${data.length} bytes: at most ${CAST_MAX_BYTES}`;
      return refuse(member, message, "too_large", text);
    }
    if (!isBelieved(member, message)) return;
    this.#pass(member, { topic: name, data, by, id: message.id });
  }

  /** Tells everybody who is interested, and the relays, but not who has said it. */
  #pass(from: Member, heard: Omit<Of<"cast">, "type">): void {
    const { topic, data, by } = heard;
    const interested = this.#topics.get(topic)?.interested;
    const id = from.peer.relay === undefined && !this.#links.has(from) ? undefined : heard.id;
    if (id !== undefined && !this.#seen.isNew(id)) return;
    let known = id;
    const idOfCast = () => {
      // The first relay gives it one, which it knows if it comes back.
      if (known === undefined) this.#seen.isNew(known = this.#randomBytes(CAST_ID_BYTES));
      return known;
    };
    const text = encodeMessage({ type: "heard", topic, data, by, id: undefined });
    for (const other of interested?.keys() ?? []) {
      // What cannot be read in time is not worth keeping.
      if (other === from || this.#isSlow(other)) continue;
      if (other.peer.relay === undefined) other.peer.send(text);
      else tell(other, { type: "heard", topic, data, by, id: idOfCast() });
    }
    for (const [link, speaker] of this.#links) {
      if (link === from || this.#isSlow(link)) continue;
      speaker.cast({ type: "cast", topic, data, by: undefined, id: idOfCast() });
    }
  }

  #isSlow({ peer }: Member): boolean {
    return peer.bufferedBytes() > this.#limits.waitingBytes;
  }

  /** A relay that this process asks tells something. */
  #hear(link: Member, news: TopicNews): void {
    const { topic: name } = news;
    const topic = this.#topics.get(name);
    // It was on its way when the last interest ended.
    if (topic === undefined || this.#wayTo(link, topic.interested) === undefined) return;
    if (news.type === "heard") {
      const isTaken = news.data.length <= CAST_MAX_BYTES && link.casts.take();
      return isTaken ? this.#pass(link, news) : undefined;
    }
    if (news.type === "withdrawn") return this.#withdraw(link, news);
    if (news.type === "announced") return this.#hearOf(link, name, news);
    const ids = new Set(news.announcements.map(idOf));
    for (const [id, { key, by }] of [...topic.announced]) {
      if (!ids.has(id)) this.#withdraw(link, { topic: name, key, by });
    }
    for (const there of news.announcements) this.#hearOf(link, name, there);
  }

  #hearOf(link: Member, name: string, { key, by, via = [] }: Announcement): void {
    const announcement = { topic: name, key, by };
    const isKnown = link.announcements.has(ownName(name, announcement));
    if (via.length > VIA_MAX || via.includes(this.name)) return this.#withdraw(link, announcement);
    const hasRoom = this.#entries < this.#limits.entries && this.#hasRoom(name, announcement);
    if (!isKnown && !hasRoom) return;
    if (!isKnown) this.#entries++;
    this.#put(link, announcement, via);
  }

  #leave(member: Member): void {
    for (const name of [...member.interests]) this.#uninterest(member, name);
    for (const announcement of [...member.announcements.values()]) {
      this.#withdraw(member, announcement);
    }
  }

  /** Tells relays of an announcement, of another way to it, or that there is none any more. */
  #spread(name: string, { key, by }: Announcement): void {
    const topic = this.#topics.get(name);
    const announced = topic?.announced.get(idOf({ key, by })) ?? { key, by, ways: new Map() };
    for (const member of topic?.interested.keys() ?? []) {
      if (member.peer.relay !== undefined) this.#tellRelay(member, name, announced);
    }
    this.#spreadUp(name, key);
  }

  #tellRelay(member: Member, name: string, { key, by, ways }: Announced): void {
    const via = this.#wayTo(member, ways);
    const own = ownName(name, { key, by });
    const before = member.told.get(own);
    if (before === via?.join()) return;
    // What a relay knows takes memory too: where there is none it is not told.
    if (before === undefined && this.#entries >= this.#limits.entries) return;
    if (before === undefined) this.#entries++;
    if (via === undefined) this.#forgetTold(member, own);
    else member.told.set(own, via.join());
    const type = via === undefined ? "withdrawn" : "announced";
    tell(member, { type, topic: name, key, by, via });
  }

  #forgetTold(member: Member, own: string): void {
    if (member.told.delete(own)) this.#entries--;
  }

  /** Only this relay has seen who it is that speaks: to others it says what is announced, not by whom. */
  #spreadUp(name: string, key: Announcement["key"]): void {
    if (this.#links.size === 0) return;
    const all = [...this.#topics.get(name)?.announced.values() ?? []];
    const ways = all.filter((other) => other.key === key).flatMap(({ ways }) => [...ways]);
    for (const [link, speaker] of this.#links) {
      const via = this.#wayTo(link, ways);
      const message = via && { type: "announce" as const, topic: name, key, by: undefined, via };
      speaker.set(`${key} ${name}`, message);
    }
  }

  /** Asks relays for a topic that somebody here, or by way of here, is interested in. */
  #spreadInterest(name: string): void {
    const topic = this.#topics.get(name);
    for (const [link, speaker] of this.#links) {
      const via = topic && this.#wayTo(link, topic.interested);
      speaker.set(` ${name}`, via && { type: "interest", topic: name, via });
      if (via !== undefined) continue;
      for (const { key, by } of [...topic?.announced.values() ?? []]) {
        this.#withdraw(link, { topic: name, key, by });
      }
    }
  }

  #wayTo(to: Member, ways: Iterable<readonly [Member, Via]>): Via | undefined {
    const others: Via[] = [];
    for (const [member, via] of ways) {
      if (member === to) continue;
      // Said here: most ways are, and there may be many.
      if (via.length === 0) return [this.name];
      others.push(via);
    }
    return wayTo(others, to.peer.relay, this.name);
  }

  #takeEntry(member: Member, message: TopicMessage): boolean {
    const isFull = this.#entries >= this.#limits.entries;
    if (isFull) refuse(member, message, "refused", "this peer has as many topics as it can keep");
    else this.#entries++;
    return !isFull;
  }

  #topic(name: string): Topic {
    let topic = this.#topics.get(name);
    if (topic === undefined) {
      this.#topics.set(name, topic = { interested: new Map(), announced: new Map() });
    }
    return topic;
  }

  #forgetEmpty(name: string): void {
    const topic = this.#topics.get(name);
    if (topic?.interested.size === 0 && topic.announced.size === 0) this.#topics.delete(name);
  }
}
