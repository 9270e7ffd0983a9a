/**
 * How devices of one key recognise each other on a network without telling others the key: each is known
 * by a name that it takes by chance when it starts, and announces a keyed hash of it. Who has the
 * credentials can tell; everybody else sees that some device is there, another one after each start.
 */

import { createHmac } from "node:crypto";

/** The service type of DNS-SD (RFC 6763). */
export const SERVICE = "_streamo._tcp.local";
/** Seconds that an announcement is believed. */
const TTL_SECONDS = 120;

/** One record of a packet, as `multicast-dns` has it; what others sent may be anything. */
export interface DnsRecord {
  readonly name?: unknown;
  readonly type?: unknown;
  readonly ttl?: unknown;
  readonly data?: unknown;
}

/** What a device says of itself. */
export interface Announcement {
  /** Another one after each start: 1 to 32 digits and letters a to z. */
  readonly name: string;
  /** See {@link tagOf}. */
  readonly tag: string;
  readonly port: number;
  /** Whether the device goes away. */
  readonly isGoodbye: boolean;
}

/** What devices with one secret recognise `name` by. */
export function tagOf(secret: Uint8Array, name: string): string {
  return createHmac("sha256", secret).update(`tag ${name}`).digest("hex").slice(0, 16);
}

/** The records that announce a device. */
export function encodeAnnouncement({ name, tag, port, isGoodbye }: Announcement): DnsRecord[] {
  const instance = `${name}.${SERVICE}`;
  const ttl = isGoodbye ? 0 : TTL_SECONDS;
  return [
    { name: SERVICE, type: "PTR", ttl, data: instance },
    { name: instance, type: "SRV", ttl, data: { port, target: `${name}.local` } },
    { name: instance, type: "TXT", ttl, data: [`tag=${tag}`] },
  ];
}

/** The announcements in a packet; whatever else is in it is passed over. */
export function decodeAnnouncements(records: readonly DnsRecord[]): Announcement[] {
  const found: Announcement[] = [];
  for (const { name: instance, type, data, ttl } of records) {
    if (type !== "SRV" || typeof instance !== "string") continue;
    const name = /^([0-9a-z]{1,32})\._streamo\._tcp\.local$/.exec(instance)?.[1];
    const port = (data as { port?: unknown } | null | undefined)?.port;
    if (name === undefined || typeof port !== "number" || port < 1 || port > 65_535) continue;
    const text = records.find((record) => record.type === "TXT" && record.name === instance);
    const tag = /^tag=([0-9a-f]{16})$/.exec(String([text?.data].flat()[0]))?.[1];
    if (tag !== undefined) found.push({ name, tag, port, isGoodbye: ttl === 0 });
  }
  return found;
}
