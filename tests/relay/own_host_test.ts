import assert from "node:assert/strict";
import { ownHost } from "../../relay/own_host.ts";
import { keyOf } from "../suites/relay_world.ts";

const key = await keyOf("alice");

const CASES: readonly [host: string, address: string, hosts: string[] | undefined, own: boolean][] =
  [
    ["localhost:8080", "127.0.0.1", undefined, true],
    ["127.0.0.1:8080", "::ffff:127.0.0.1", undefined, true],
    ["[::1]:8080", "::1", undefined, true],
    [`${key}.localhost:8080`, "127.0.0.1", undefined, true],
    ["localhost:8080", "192.0.2.1", undefined, false],
    ["relay.example", "127.0.0.1", undefined, false],
    ["localhost.relay.example", "127.0.0.1", undefined, false],
    ["127.0.0.1.relay.example", "127.0.0.1", undefined, false],
    ["relay.example", "192.0.2.1", ["other.example", "Relay.Example:443"], true],
    ["relay.example:80", "192.0.2.1", ["relay.example"], true],
    ["relay.example:8080", "192.0.2.1", ["relay.example:8080"], true],
    [`${key}.relay.example`, "192.0.2.1", ["relay.example"], true],
    ["relay.example:8080", "192.0.2.1", ["relay.example"], false],
    ["www.relay.example", "192.0.2.1", ["relay.example"], false],
    ["relay.example.evil.example", "192.0.2.1", ["relay.example"], false],
    ["localhost:8080", "127.0.0.1", ["relay.example"], false],
    ["relay.example", "192.0.2.1", [], false],
  ];

Deno.test("a relay goes by the names that it was told, else by this machine's on this machine", () => {
  for (const [host, address, hosts, isOwn] of CASES) {
    const own = ownHost({ host, address }, hosts);
    const name = `${host} from ${address}, of ${hosts}`;
    assert.equal(own, isOwn ? host.replace(/:80$/, "") : undefined, name);
  }
  assert.equal(ownHost({ host: "localhost", address: undefined }), undefined);
});
