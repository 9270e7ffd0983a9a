/** The first byte of every encoding, and the limits of the format. SPEC.md holds the table. */

/** Tags 0x00 to 0x3f are the integers 0 to 63 themselves. */
export const SMALL_INTEGERS = 0x40;
/** Tags 0x40 to 0x5f are strings of 0 to 31 UTF-8 bytes, which follow. */
export const SHORT_STRING = 0x40;
/** The longest string whose length sits in its tag. */
export const SHORT_STRING_MAX = 31;
/** Tags 0x60 to 0x6f are maps of 0 to 15 entries in one chunk. */
export const SMALL_MAP = 0x60;
/** Tags 0x70 to 0x7f are lists of 0 to 15 elements in one chunk. */
export const SMALL_LIST = 0x70;
/** Most entries of a map or list that is a single small chunk. */
export const SMALL_MAX = 15;
/** Most bytes of keys in a small map; a map with more is a tree. */
export const SMALL_KEY_BYTES = 4096;

export const NULL = 0x80;
export const UNDEFINED = 0x81;
export const FALSE = 0x82;
export const TRUE = 0x83;
/** An integer of 64 or more: varint. */
export const INTEGER = 0x84;
/** A negative integer n: varint of -1 - n. */
export const NEGATIVE = 0x85;
/** Any other number: 8 bytes, IEEE 754, big-endian; one bit pattern for NaN. */
export const FLOAT = 0x86;
/** A bigint: varint length, magnitude big-endian without a leading zero. */
export const BIGINT = 0x87;
/** A negative bigint n: as above, of -1 - n. */
export const NEGATIVE_BIGINT = 0x88;
/** A string of more than 31 bytes: varint length, UTF-8. */
export const STRING = 0x89;
/** Bytes: varint length, the bytes. */
export const BYTES = 0x8a;
/** A date: 8 bytes, milliseconds since 1970 as an IEEE 754 number. */
export const DATE = 0x8b;
/** A link to a repo: 32 key bytes, an item (the record's sequence number or undefined), a list of path steps. */
export const LINK = 0x8c;
/** A reference to an earlier chunk: varint address. */
export const REF = 0x8d;
/** The leaf of a map's tree. */
export const MAP_LEAF = 0x8e;
/** An inner node of a map's tree. */
export const MAP_INNER = 0x8f;
/** The leaf of a list's tree. */
export const LIST_LEAF = 0x90;
/** An inner node of a list's tree. */
export const LIST_INNER = 0x91;
/** An inner node over the pieces of large bytes; the pieces are BYTES chunks. */
export const BYTES_INNER = 0x92;
/** A large string: varint address of the tree over its UTF-8 bytes. */
export const LARGE_STRING = 0x93;
/** A record of history. */
export const RECORD = 0x94;

/** A scalar of at most this many bytes sits inside a small map or list. */
export const INLINE_SMALL = 64;
/** A scalar of at most this many bytes sits inside a tree node, whose entries are rewritten often. */
export const INLINE_TREE = 16;
/** Bytes and strings past this size are cut into pieces. */
export const PIECE_MAX_BYTES = 32_768;
/** Longest key of a map, in UTF-8 bytes. */
export const KEY_MAX_BYTES = 8192;
/** How deep values may nest. */
export const DEPTH_MAX = 500;

/** A tree node closes no earlier than this many entries, so that every level shrinks the tree. */
export const NODE_MIN = 8;
/** From this many entries on a node closes at a looser boundary, so that sizes vary less. */
export const NODE_LOOSE = 16;
/** A node with this many entries closes. */
export const NODE_MAX = 64;
/** A node with this many bytes of keys (and at least 2 entries) closes. */
export const NODE_KEY_BYTES = 8192;
