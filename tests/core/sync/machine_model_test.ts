import assert from "node:assert/strict";
import { type RandomSource, randomSource } from "../../suites/random.ts";
import { atoms, ModelSide } from "../../suites/sync_model.ts";

const answerer = { isOpener: false, canMerge: false };

/** Delivers and writes in a random order until nothing is on its way. */
function settle(sides: readonly ModelSide[], writes: number, random: RandomSource): void {
  for (let steps = 0;; steps++) {
    assert.ok(steps < 20_000, `${random.seed}: it never ends`);
    const busy = sides.filter(({ outbox }) => outbox.length > 0);
    if (busy.length === 0 && writes === 0) return;
    if (writes > 0 && random.integer(0, 9) === 0) {
      writes--;
      const writer = sides[random.integer(0, 1)];
      if (writer.state.canMerge) writer.write();
    } else if (random.integer(0, 9) === 0) {
      const side = random.integer(0, 1);
      sides[side].learn(sides[1 - side].words);
    } else if (busy.length > 0) {
      const from = busy[random.integer(0, busy.length - 1)];
      sides[1 - sides.indexOf(from)].receive(from.outbox.shift()!);
    }
  }
}

const PAIRS = {
  "a device and a relay": [{ isOpener: true, canMerge: true }, answerer],
  "two relays": [{ isOpener: true, canMerge: false }, answerer],
  "two devices, one of which asks": [
    { isOpener: true, canMerge: true },
    { isOpener: false, canMerge: true },
  ],
  "a reader, and a device that it asks": [
    { isOpener: true, canMerge: false },
    { isOpener: false, canMerge: true },
  ],
  "two devices that ask each other": [
    { isOpener: true, canMerge: true },
    { isOpener: true, canMerge: true },
  ],
  "a device and a reader that ask each other": [
    { isOpener: true, canMerge: true },
    { isOpener: true, canMerge: false },
  ],
} as const;

for (const [name, kinds] of Object.entries(PAIRS)) {
  Deno.test(`machine: ${name} end on equal logs, in which nothing is missing`, () => {
    const random = randomSource();
    for (let i = 0; i < 400; i++) {
      const common = words("c", random.integer(0, 6));
      const sides = kinds.map((kind, side) => {
        const own = words("xy"[side], random.integer(0, random.integer(0, 5)));
        const all = [...common, ...own];
        // What a device has written and shown to nobody may be written again on top of another branch.
        const shown = kind.canMerge ? random.integer(common.length, all.length) : all.length;
        return new ModelSide({ ...kind, name: "ab"[side], words: all, shown, random });
      });
      const [a, b] = sides;
      const before = new Set([...atoms(a.words), ...atoms(b.words)]);
      for (const side of sides) if (side.state.isOpener) side.start();
      settle(sides, random.integer(0, 6), random);
      const context = `${random.seed}, case ${i}: ${a.words} | ${b.words} ${a.state.phase}`;
      assert.deepStrictEqual([a.violation, b.violation], ["", ""], context);
      assert.deepStrictEqual(a.words, b.words, context);
      const found = atoms(a.words);
      assert.equal(new Set(found).size, found.length, `nothing twice: ${context}`);
      const kept = [...a.asides, ...b.asides];
      if (kinds.some(({ canMerge }) => canMerge)) assert.deepStrictEqual(kept, [], context);
      const all = new Set([...found, ...kept]);
      for (const word of before) assert.ok(all.has(word), `${word} is lost: ${context}`);
      assert.ok(a.merges + b.merges <= 12, context);
    }
  });
}

function words(letter: string, count: number): string[] {
  return Array.from({ length: count }, (_, i) => `${letter}${i}`);
}
