import assert from "node:assert/strict";
import { join } from "node:path";
import { decodeAnnouncements, encodeAnnouncement, tagOf } from "../../cli/lan/announcement.ts";
import { Multicast } from "../../cli/lan/multicast.ts";
import { lanSecret, sealedTransport } from "../../cli/lan/sealed.ts";
import { SUBPROTOCOL } from "../../core/sync/websocket_transport.ts";
import { type Transport, transportPair } from "../../core/sync/transport.ts";
import { inTempFolder, type Program, streamo, until } from "../suites/cli.ts";
import { signerOf } from "../suites/people.ts";

const secret = await lanSecret(await signerOf("alice"));
const wrong = await lanSecret(await signerOf("bob"));

/** Whether packets of this machine reach this machine by multicast: containers do not always let them. */
async function hasMulticast(): Promise<boolean> {
  const { promise, resolve } = Promise.withResolvers<boolean>();
  const timer = setTimeout(() => resolve(false), 3_000);
  const events = { onQuery: () => resolve(true), onRecords: () => {}, onNone: () => {} };
  const listener = new Multicast({ ...events, onInterface: () => asker.query("probe.local") });
  const asker = new Multicast({ ...events, onInterface: () => asker.query("probe.local") });
  const answer = await promise;
  clearTimeout(timer);
  await Promise.all([listener.close(), asker.close()]);
  return answer;
}

const isIgnored = !await hasMulticast();
if (isIgnored) console.warn("no multicast here: the tests of --lan with processes are ignored");

Deno.test("an announcement tells the key's devices who is there, and others nothing", () => {
  const own = { name: "a1", tag: tagOf(secret, "a1"), port: 1234, isGoodbye: false };
  const records = encodeAnnouncement(own);
  assert.deepEqual(decodeAnnouncements(records), [own]);
  const goodbye = encodeAnnouncement({ ...own, isGoodbye: true });
  assert.deepEqual(decodeAnnouncements(goodbye), [{ ...own, isGoodbye: true }]);
  assert.notEqual(tagOf(secret, "a2"), own.tag, "another one after each start");
  assert.notEqual(tagOf(wrong, "a1"), own.tag);
  // As multicast-dns gives it, and as somebody else might have sent it.
  const [, service, text] = records;
  const bytes = { ...text, data: [new TextEncoder().encode(`tag=${own.tag}`)] };
  assert.deepEqual(decodeAnnouncements([service, { ...bytes, data: [`tag=${own.tag}`] }]), [own]);
  for (
    const bad of [
      [service],
      [text],
      [{ ...service, name: "../x._streamo._tcp.local" }, text],
      [{ ...service, data: { port: 0 } }, text],
      [{ ...service, data: null }, text],
      [service, { ...text, data: ["tag=xyz"] }],
      [service, { ...text, data: undefined }],
    ]
  ) assert.deepEqual(decodeAnnouncements(bad), []);
});

/** Two ends with these secrets, and everything that goes over the wire between them. */
function sealedPair(first: Uint8Array, second: Uint8Array, tamper = (data: Uint8Array) => data) {
  const [a, b] = transportPair();
  const wire: Uint8Array[] = [];
  const tapped: Transport = {
    get bufferedBytes() {
      return a.bufferedBytes;
    },
    send(data) {
      wire.push((data as Uint8Array).slice());
      a.send(wire.length > 1 ? tamper(data as Uint8Array) : data);
    },
    close: (code, reason) => a.close(code, reason),
    onMessage: () => {},
    onClose: () => {},
  };
  a.onMessage = (data) => tapped.onMessage(data);
  a.onClose = (reason) => tapped.onClose(reason);
  const ends = [sealedTransport(tapped, first, true), sealedTransport(b, second, false)];
  const heard: (string | Uint8Array)[][] = [[], []];
  const closed = ends.map((end, i) => {
    end.onMessage = (data) => heard[i].push(data);
    return new Promise<string>((resolve) => end.onClose = resolve);
  });
  return { ends, heard, closed, wire };
}

Deno.test("a sealed connection passes on messages whole, in order, and unreadable to others", async () => {
  const { ends: [a, b], heard, closed, wire } = sealedPair(secret, secret);
  a.send("hello");
  a.send(new Uint8Array([1, 2, 3]));
  b.send("back");
  await until("they arrive", () => heard[0].length === 1 && heard[1].length === 2);
  assert.deepEqual(heard, [["back"], ["hello", new Uint8Array([1, 2, 3])]]);
  assert.equal(a.bufferedBytes, 0);
  const sent = wire.map((bytes) => new TextDecoder("latin1").decode(bytes)).join();
  assert.ok(!sent.includes("hello"));
  a.close(1000, "done");
  assert.deepEqual(await Promise.all(closed), ["done", "done"]);
});

Deno.test("who does not have the secret, or changes a bit, hears nothing and is sent away", async () => {
  const flipped = (data: Uint8Array) => data.with(0, data[0] ^ 1);
  for (const pair of [sealedPair(secret, wrong), sealedPair(secret, secret, flipped)]) {
    pair.ends[0].send("hello");
    await Promise.all(pair.closed);
    assert.deepEqual(pair.heard, [[], []]);
  }
});

Deno.test("a machine without a network says so once, and goes on", async () => {
  const reasons: string[] = [];
  const multicast = new Multicast({
    onQuery: () => {},
    onRecords: () => {},
    onInterface: () => {},
    onNone: (reason) => reasons.push(reason),
  }, () => []);
  multicast.query("x.local");
  await multicast.respond([]);
  await multicast.close();
  assert.deepEqual(reasons, ["there is no network interface"]);
});

/** Somebody whom no other run of these tests on this network knows. */
const username = `alice-${crypto.randomUUID()}`;

/** A device of alice's in `folder`. */
function device(folder: string, ...more: string[]): Program {
  const where = ["--data-dir", join(folder, "data"), "--files", join(folder, "files"), "--lan"];
  return streamo(["--name", "notes", "--username", username, ...where, ...more], { label: folder });
}

Deno.test({
  name: "--lan: devices of one key find each other; others are none of them",
  ignore: isIgnored,
}, async () => {
  await inTempFolder(async (folder) => {
    const [one, two, three] = ["one", "two", "three"].map((name) => join(folder, name));
    for (const place of [one, two, three]) {
      await Deno.mkdir(join(place, "files"), { recursive: true });
    }
    await Deno.writeTextFile(join(one, "files", "a.txt"), "from one");
    const text = (place: string, name: string) =>
      Deno.readTextFile(join(place, "files", name)).catch(() => undefined);
    const packets: string[] = [];
    const listener = new Multicast({
      onQuery: () => {},
      onRecords: (records) => packets.push(JSON.stringify(records)),
      onInterface: () => {},
      onNone: () => {},
    });
    await using first = device(one);
    const [, key] = await first.line(/key +(\w+)/);
    const [, port] = await first.line(/lan +port (\d+)/);
    {
      await using second = device(two);
      await using other = device(three, "--username", "bob");
      await until("the file is there", async () => await text(two, "a.txt") === "from one");
      await Deno.writeTextFile(join(two, "files", "b.txt"), "from two");
      await until("and back", async () => await text(one, "b.txt") === "from two");
      await strangerHearsNothing(Number(port), key);
      const { lines } = other;
      assert.ok(
        !lines.some((line) => /another device/.test(line)),
        "bob's is no device of alice's",
      );
      assert.equal(await text(three, "a.txt"), undefined);
      const count = (pattern: RegExp) =>
        [first, second].flatMap(({ lines }) => lines).filter((line) => pattern.test(line)).length;
      // A busy machine may have made both connect: one of the two gives way.
      await until(
        "they have one connection",
        () => count(/device of this key has connected/) === 1 + count(/had connected is gone/),
      );
      await second.kill();
    }
    await Deno.writeTextFile(join(one, "files", "c.txt"), "while away");
    await using again = device(two);
    await until("it is found again", async () => await text(two, "c.txt") === "while away");
    await Deno.writeTextFile(join(two, "files", "d.txt"), "again");
    await until("and back", async () => await text(one, "d.txt") === "again");
    assert.equal((await again.stop()).code, 0);
    assert.equal((await first.stop()).code, 0);
    await listener.close();
    assert.ok(packets.some((packet) => packet.includes("_streamo._tcp.local")));
    for (const packet of packets) assert.ok(!packet.includes(key) && !/alice|notes/.test(packet));
  });
});

/** Connects as somebody who knows the key, and not the password. */
async function strangerHearsNothing(port: number, key: string): Promise<void> {
  const page = await fetch(`http://127.0.0.1:${port}/streams/${key}`);
  assert.equal(page.status, 404);
  await page.body?.cancel();
  const socket = new WebSocket(`ws://127.0.0.1:${port}/sync`, SUBPROTOCOL);
  socket.binaryType = "arraybuffer";
  const heard: unknown[] = [];
  socket.addEventListener("message", ({ data }) => heard.push(data));
  await new Promise((resolve) => socket.addEventListener("open", resolve));
  const closed = new Promise<CloseEvent>((resolve) => socket.addEventListener("close", resolve));
  socket.send(new Uint8Array(32));
  socket.send(JSON.stringify({ type: "hello", protocol: 1, software: "" }));
  assert.equal((await closed).code, 4003);
  assert.ok(heard.every((data) => data instanceof ArrayBuffer), "nothing that can be read");
}
