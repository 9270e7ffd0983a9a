/** What the vectors of values are made of. Each invalid case has one cause. */

import { EMPTY_LIST, EMPTY_MAP, type Item, Link, Ref, type Value } from "../../core/codec/value.ts";
import { keyFromBytes } from "../../core/identity/key.ts";

/** Bytes that are refused. */
export interface Bad {
  readonly name: string;
  readonly hex: string;
  readonly code: string;
}

const key = keyFromBytes(new Uint8Array(32).fill(7));
const bad = (name: string, hex: string, code = "malformed"): Bad => ({ name, hex, code });
const float = (digits: string) => "86" + digits;
const hexOf = (text: string) => new TextEncoder().encode(text).toHex();
/** A leaf of a map: 8 keys of one byte, from `first` on. */
const mapLeaf = (first: number) =>
  "8e08" + range(8).map((i) => `0001${hexByte(first + i)}00`).join("");
const range = (length: number) => Array.from({ length }, (_, i) => i);

export const VARINTS: number[] = [
  ...[0, 1, 127, 128, 255, 16_383, 16_384, 2 ** 21, 2 ** 28 - 1, 2 ** 28, 2 ** 31, 2 ** 32],
  ...[2 ** 35, 2 ** 42, 2 ** 49 - 1, 2 ** 49, 2 ** 53 - 1],
];

export const VARINTS_BAD: Bad[] = [
  bad("nothing", ""),
  bad("ends in the middle", "80"),
  bad("0 in two bytes", "8000"),
  bad("127 in two bytes", "ff00"),
  bad("2^53", "80808080808080" + "10"),
  bad("2^56 - 1", "ffffffffffffff" + "7f"),
  bad("nine bytes", "8080808080808080" + "01"),
  bad("two hundred bytes", "80".repeat(199) + "01"),
];

export const SCALARS: Value[] = [
  ...[null, undefined, false, true],
  ...[0, 1, 63, 64, 127, 128, 16_383, 16_384, 2 ** 32, 2 ** 53 - 1],
  ...[-1, -128, -129, -(2 ** 31), -(2 ** 53 - 1)],
  ...[-0, 0.5, -1.25, 2 ** 53, -(2 ** 53), 1e300, 5e-324, Infinity, -Infinity, NaN],
  ...[0n, 1n, 255n, 256n, 2n ** 64n, -1n, -2n, -256n, -257n, -(2n ** 64n)],
  ...["", "a", "é", "\u{1f600}", "\ufeffbom", "\0", "x".repeat(31), "x".repeat(32), "é".repeat(70)],
  ...[
    new Date(0),
    new Date(-1),
    new Date(1_700_000_000_123),
    new Date(8.64e15),
    new Date(-8.64e15),
  ],
  ...[new Uint8Array(), new Uint8Array([0]), new Uint8Array(200).fill(0xab)],
  ...[EMPTY_MAP, EMPTY_LIST],
  ...[new Link(key), new Link(key, { seq: 0 }), new Link(key, { seq: 300, path: ["a", 0, ""] })],
];

export const SCALARS_BAD: Bad[] = [
  bad("nothing", ""),
  bad("a tag that is not used", "95"),
  bad("the last tag", "ff"),
  bad("a small map is no scalar", "61016101"),
  bad("63 in the long form", "843f"),
  bad("-2^53", "85ffffffffffffff0f"),
  bad("1 as a float", float("3ff0000000000000")),
  bad("-1 as a float", float("bff0000000000000")),
  bad("2^53 - 1 as a float", float("433fffffffffffff")),
  bad("another NaN", float("7ff8000000000001")),
  bad("a negative NaN", float("fff8000000000000")),
  bad("a signalling NaN", float("7ff0000000000001")),
  bad("a float of 7 bytes", float("3fe00000000000")),
  bad("a bigint with a leading zero", "87020001"),
  bad("the bigint 0 as a byte", "870100"),
  bad("a negative bigint with a leading zero", "88020001"),
  bad("a bigint past the end", "870201"),
  bad("31 bytes of text in the long form", "891f" + "78".repeat(31)),
  bad("text of 32,769 bytes", "898180" + "02" + "78".repeat(32_769)),
  bad("text past the end", "4261"),
  bad("text with a lone continuation byte", "4180"),
  bad("text in overlong form", "42c080"),
  bad("text with an encoded surrogate", "43eda080"),
  bad("text past U+10FFFF", "44f4908080"),
  bad("bytes past the end", "8a0200"),
  bad("bytes of 32,769 bytes", "8a8180" + "02" + "00".repeat(32_769)),
  bad("a date that is a fraction", "8b3fe0000000000000"),
  bad("a date of -0", "8b8000000000000000"),
  bad("a date of NaN", "8b7ff8000000000000"),
  bad("a date past the last one", "8b433eb208c2dc0001"),
  bad("a reference that does not point back", "8de807"),
  bad("a link with a negative record", "8c" + "07".repeat(32) + "850000"),
  bad("a link with a record of null", "8c" + "07".repeat(32) + "8000"),
  bad("a link whose step is null", "8c" + "07".repeat(32) + "810180"),
  bad("a link whose step is a float", "8c" + "07".repeat(32) + "8101863fe0000000000000"),
  bad("a link whose path ends early", "8c" + "07".repeat(32) + "810200"),
  bad("a link with half a key", "8c" + "07".repeat(16)),
];

export const CONTAINERS: { name: string; value: Value }[] = [
  { name: "an empty map sits in its parent", value: {} },
  { name: "an empty list sits in its parent", value: [] },
  { name: "a flat map", value: { name: "alice", score: 42 } },
  { name: "keys in UTF-8 order", value: { "\u{1f600}": 1, "\uffff": 2, "é": 3, b: 4, "": 5 } },
  { name: "children before parents", value: { a: { b: [1, [2]] }, c: [] } },
  { name: "equal children once", value: [{ x: 1 }, { x: 1 }] },
  { name: "64 bytes inside, 65 in a chunk", value: ["x".repeat(62), "x".repeat(63)] },
  { name: "15 entries", value: Object.fromEntries(range(15).map((i) => [`key${i}`, i])) },
  { name: "16 entries", value: Object.fromEntries(range(16).map((i) => [`key${i}`, i])) },
  { name: "15 elements", value: range(15) },
  { name: "16 elements", value: range(16) },
  {
    name: "16 bytes inside a tree node, 17 in a chunk",
    value: Object.fromEntries(range(16).map((i) => [`k${i}`, "x".repeat(i + 1)])),
  },
  {
    name: "4,096 bytes of keys",
    value: { ["a".repeat(2048)]: 1, ["b".repeat(2048)]: 2 },
  },
  { name: "4,097 bytes of keys", value: { ["a".repeat(2048)]: 1, ["b".repeat(2049)]: 2 } },
  { name: "keys that fill a node", value: { ["a".repeat(8192)]: 1, ["b".repeat(8192)]: 2, c: 3 } },
  { name: "200 entries", value: Object.fromEntries(range(200).map((i) => [`key${i}`, i])) },
  { name: "400 elements", value: range(400).map((i) => i % 7 === 0 ? `element ${i}` : i * i) },
  { name: "100 equal elements", value: range(100).map(() => 0) },
];

/** Nodes at address 1,000. */
export const CONTAINERS_BAD: Bad[] = [
  bad("an empty map as a chunk", "60"),
  bad("an empty list as a chunk", "70"),
  bad("a small map with a key twice", "62016100016100"),
  bad("a small map out of order", "62016200016100"),
  bad("a small map whose key is not UTF-8", "61018000"),
  bad("4,097 bytes of keys in a small map", "618120" + "61".repeat(4097) + "00"),
  bad("65 bytes inside a small list", "718a3f" + "00".repeat(63)),
  bad("a map inside a small list", "716101610000"),
  bad("a small list that ends early", "7200"),
  bad("an unknown tag in a list", "7195"),
  bad("a reference to itself", "718de807"),
  bad("a map leaf without entries", "8e00"),
  bad("a map leaf with 65 entries", "8e41" + range(65).map((i) => `0001${hexByte(i)}00`).join("")),
  bad("a first key that shares", "8e01010161" + "00"),
  bad("a key that shares too much", "8e02000161" + "00" + "020162" + "00"),
  bad("a key that shares too little", "8e0200026162" + "00" + "00026163" + "00"),
  bad("a key that repeats", "8e02000161" + "00" + "0100" + "00"),
  bad("keys out of order", "8e02000162" + "00" + "000161" + "00"),
  bad("a key of 8,193 bytes", "8e01" + "008140" + "61".repeat(8193) + "00"),
  bad(
    "a third key after 8,192 bytes of keys",
    "8e03" + "00ff1f" + "61".repeat(4095) + "00" + "ff1f02616100" + "8020016200",
  ),
  bad("17 bytes inside a map leaf", "8e01000161" + "50" + "78".repeat(16)),
  bad("17 bytes inside a list leaf", "9001" + "50" + "78".repeat(16)),
  bad("a map inner node of height 0", "8f0001" + "000161" + "0001"),
  bad("a node of height 54", "8f3601" + "000161" + "0001"),
  bad("an empty child", "8f0101" + "000161" + "0000"),
  bad("a child that does not come before", "910101" + "e807" + "01"),
  bad("a list leaf without elements", "9000"),
  bad("a list inner node without children", "910100"),
  bad("bytes without pieces", "920100"),
  bad("a size past 2^53 - 1", "910102" + "00ffffffffffffff0f" + "0001"),
];

/** `log`: all chunks from address 0; `hex`: the item whose value is asked for. */
export const LARGE_BAD: (Bad & { log: string })[] = [
  { log: "54" + "78".repeat(20) + "8d00", ...bad("a chunk that is only a reference", "8d15") },
  { log: "00", ...bad("a chunk of 1 byte", "8d00") },
  { log: "4f" + "78".repeat(15), ...bad("a string of 16 bytes as a chunk", "8d00") },
  { log: "8a0e" + "00".repeat(14), ...bad("bytes of 16 bytes as a chunk", "8d00") },
  { log: "8914" + "78".repeat(20), ...bad("a chunk of short text in the long form", "8d00") },
  { log: "8a0100" + "92010100" + "01", ...bad("large bytes that are small", "8d03") },
  { log: "8a0100" + "9201010001" + "9303", ...bad("large text that is small", "8d08") },
  { log: "9001" + hexOf("\x01"), ...bad("a list of one element as a tree", "8d00") },
  { log: "8e0100016101", ...bad("a map of one entry as a tree", "8d00") },
  { log: "9010" + "00".repeat(16) + "9101010010", ...bad("a root with one child", "8d12") },
  {
    log: "9008" + "00".repeat(8) + "9008" + "01".repeat(8) + "910102" + "0008" + "0a09",
    ...bad("a child of another size", "8d14"),
  },
  {
    log: mapLeaf(97) + mapLeaf(110) + "8f0102" + "0001680008" + "0001762208",
    ...bad("a child with another last key", "8d44"),
  },
  {
    log: mapLeaf(97) + mapLeaf(104) + "8f0102" + "0001680008" + "00016f2208",
    ...bad("a child whose first key is not past the key before it", "8d44"),
  },
  {
    log: "9008" + "00".repeat(8) + "9008" + "01".repeat(8) + "910202" + "0008" + "0a08",
    ...bad("a child of another height", "8d14"),
  },
  {
    log: "9008" + "00".repeat(8) + mapLeaf(97) + "910102" + "0008" + "0a08",
    ...bad("a child of another kind", "8d2c"),
  },
  {
    log: "9008" + "00".repeat(8) + "78" + "01".repeat(8) + "910102" + "0008" + "0a08",
    ...bad("a small list as a child", "8d13"),
  },
  { log: "94000000" + "00", ...bad("a record as a value", "8d00") },
  { log: "", ...bad("an address past the end of the log", "8d00", "missing_block") },
];

export const RECORDS: {
  readonly name: string;
  readonly address: number;
  readonly seq: number;
  readonly first?: number;
  readonly time: number;
  readonly parent: number | undefined;
  readonly skip: number | undefined;
  readonly eventBefore?: number;
  readonly root: Item;
  readonly event: Item;
  readonly hasEvent: boolean;
  readonly message: string;
  readonly citesItem: Item;
}[] = [
  record("the first record", 20, { seq: 0, root: new Ref(0) }),
  record("an odd one: its skip is its parent", 60, { seq: 1, parent: 20, skip: 20, root: 42 }),
  record("an even one", 90, { seq: 2, parent: 60, skip: 20, root: EMPTY_MAP }),
  record("seq 12 skips to 8", 900, { seq: 12, parent: 800, skip: 500, root: undefined }),
  record("an event", 100, { seq: 1, parent: 2, skip: 2, hasEvent: true, event: "hello" }),
  record("an event that is undefined", 100, { seq: 1, parent: 2, skip: 2, hasEvent: true }),
  record("a message", 100, { seq: 1, parent: 2, skip: 2, message: "renamed" }),
  record("a citation", 100, {
    seq: 1,
    parent: 2,
    skip: 2,
    message: "merge",
    citesItem: new Ref(50),
  }),
  record("the first one of a later epoch", 30, { seq: 40, first: 40, root: new Ref(0) }),
  record("the one after it", 60, { seq: 41, first: 40, parent: 30, skip: 30, root: 42 }),
  record("skips count from the first", 90, { seq: 42, first: 40, parent: 60, skip: 30 }),
  record("its parent has an event", 60, { seq: 1, parent: 20, skip: 20, eventBefore: 20 }),
  record("one before its parent has", 90, { seq: 2, parent: 60, skip: 20, eventBefore: 30 }),
  record("all three addresses", 900, { seq: 12, parent: 800, skip: 500, eventBefore: 600 }),
];

/** Records at address 1,000. */
export const RECORDS_BAD: Bad[] = [
  bad("a value", "61016101"),
  bad("unknown flags", "944000" + "00" + "00"),
  bad("a parent that does not come before", "940001" + "00" + "e807" + "00"),
  bad("a skip that does not come before", "940002" + "00" + "01" + "e807" + "00"),
  bad("a skip that is the parent", "940002" + "00" + "01" + "01" + "00"),
  bad("a first record after this one", "940805" + "00" + "06" + "00"),
  bad("a first record that need not be said", "940805" + "00" + "00" + "0100"),
  bad("a skip that is the parent, counted from the first", "940807" + "00" + "05" + "0101" + "00"),
  bad("an empty message", "940200" + "00" + "00" + "40"),
  bad("a message that is a number", "940200" + "00" + "00" + "01"),
  bad("a citation of undefined", "940400" + "00" + "00" + "81"),
  bad("a time past the last date", "940000" + "8180f0968cc1ac0f" + "00"),
  bad("65 bytes inside", "940000" + "00" + "8a3f" + "00".repeat(63)),
  bad("it ends early", "940001" + "00" + "05"),
  bad("a first record whose parent has an event", "941000" + "00" + "00"),
  bad("a first record after an event", "942000" + "00" + "00" + "00"),
  bad("an event before that is the parent's", "942001" + "00" + "05" + "05" + "00"),
  bad("an event before that comes after the parent", "942001" + "00" + "05" + "06" + "00"),
  bad("the parent's event and another", "943001" + "00" + "05" + "01" + "00"),
];

function record(
  name: string,
  address: number,
  content: Partial<typeof RECORDS[number]>,
): typeof RECORDS[number] {
  const empty = { parent: undefined, skip: undefined, root: 0, event: undefined, hasEvent: false };
  const rest = { message: "", citesItem: undefined, time: 1_700_000_000_000, seq: 0 };
  return { ...empty, ...rest, ...content, name, address };
}

function hexByte(byte: number): string {
  return byte.toString(16).padStart(2, "0");
}
