/** What topics take, and what they are made of. */

import type { Clock, Random, RandomBytes, Timer } from "../platform.ts";
import type { Rate } from "./token_bucket.ts";

/** What topics take of one connection. */
export interface TopicPeerLimits {
  /** Topics that it is interested in. */
  readonly interests: number;
  /** Its announcements. */
  readonly announcements: number;
  /** How often it may change its interests and announcements. */
  readonly changes: Rate;
  /** How often it may cast. */
  readonly casts: Rate;
}

/** What the topics of one process take. */
export interface TopicLimits extends TopicPeerLimits {
  /** The same for relays, which speak for all their peers; this side keeps to half of it with others. */
  readonly relays: TopicPeerLimits;
  /** Interests and announcements of all connections, and what relays were told: what bounds memory. */
  readonly entries: number;
  /** A peer that has not read so many bytes gets no casts. */
  readonly waitingBytes: number;
}

/** What topics take unless told otherwise. */
export const TOPIC_LIMITS: TopicLimits = {
  interests: 256,
  announcements: 64,
  // A client that comes back says all of it again.
  changes: { burst: 512, perSecond: 20 },
  casts: { burst: 100, perSecond: 50 },
  relays: {
    interests: 8192,
    announcements: 8192,
    changes: { burst: 16_384, perSecond: 400 },
    casts: { burst: 2000, perSecond: 1000 },
  },
  entries: 250_000,
  waitingBytes: 256 * 1024,
};

/** Half of what a relay may say: whoever keeps to that is never refused because clocks differ. */
export function halfOf(limits: TopicPeerLimits): TopicPeerLimits {
  const half = ({ burst, perSecond }: Rate) => ({ burst: burst / 2, perSecond: perSecond / 2 });
  return {
    interests: limits.interests / 2,
    announcements: limits.announcements / 2,
    changes: half(limits.changes),
    casts: half(limits.casts),
  };
}

/** What topics are made of; everything has a default, the platform's where nothing else is said. */
export interface TopicsOptions {
  /** What this process is called in `via`: by chance. */
  readonly name?: string;
  /** For rates. */
  readonly clock?: Clock;
  /** Waits until a relay takes more. */
  readonly timer?: Timer;
  /** Makes the name. */
  readonly random?: Random;
  /** Makes the ids of casts: nobody must guess them. */
  readonly randomBytes?: RandomBytes;
  /** {@link TOPIC_LIMITS} where nothing else is said. */
  readonly limits?: Partial<TopicLimits>;
}
