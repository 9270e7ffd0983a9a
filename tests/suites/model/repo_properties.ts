/** What holds of repos: history, events, bytes and differences, also after they are opened again. */

import assert from "node:assert/strict";
import { isDeepStrictEqual } from "node:util";
import fc from "fast-check";
import type { Path, Value } from "../../../core/codec/value.ts";
import { MemoryStore } from "../../../core/log/memory_store.ts";
import type { Difference } from "../../../core/repo/diff.ts";
import { Repo } from "../../../core/repo/repo.ts";
import type { Snapshot } from "../../../core/repo/snapshot.ts";
import { signerOf } from "../people.ts";
import { noise } from "../noise.ts";
import { paths, values } from "./arbitraries.ts";
import type { Check } from "./check.ts";
import { modelChange, modelGet, modelSplice, NOTHING, type Place } from "./model.ts";
import { apply, applyVerb, type Operation, operations } from "./operations.ts";
import { modelAll, outcome, sameOutcome } from "./value_properties.ts";

const signer = await signerOf("writer");

/** What happens to a repo. */
type Happening =
  | { readonly type: "operation"; readonly operation: Operation; readonly message: string }
  | { readonly type: "publish"; readonly value: Value }
  | { readonly type: "putBytes"; readonly path: Path; readonly bytes: Bytes }
  | { readonly type: "flush" | "reopen" }
  | { readonly type: "wait"; readonly ms: number };

interface Bytes {
  readonly seed: number;
  readonly length: number;
  /** Bytes that the stream gives at a time. */
  readonly step: number;
}

const happenings: fc.Arbitrary<Happening> = fc.oneof(
  {
    weight: 6,
    arbitrary: fc.record({
      type: fc.constant("operation" as const),
      operation: operations,
      message: fc.constantFrom("", "", "", "why"),
    }),
  },
  { weight: 2, arbitrary: fc.record({ type: fc.constant("publish" as const), value: values }) },
  {
    weight: 1,
    arbitrary: fc.record({
      type: fc.constant("putBytes" as const),
      path: paths,
      bytes: fc.record({
        seed: fc.integer(),
        length: fc.constantFrom(0, 1, 64, 65, 32_768, 32_769, 150_000),
        step: fc.constantFrom(1000, 32_768, 100_000),
      }),
    }),
  },
  { weight: 1, arbitrary: fc.constantFrom<Happening>({ type: "flush" }, { type: "reopen" }) },
  {
    weight: 1,
    // Clocks step back now and then.
    arbitrary: fc.record({
      type: fc.constant("wait" as const),
      ms: fc.integer({ min: -50, max: 200 }),
    }),
  },
);

/** One record as the model keeps it. */
interface Entry {
  readonly value: Value;
  readonly time: number;
  readonly message: string;
  readonly event?: { readonly value: Value };
}

/** The properties of repos. */
export function repoProperties(check: Check): void {
  check(
    "a repo's state, history, events and differences are those of a list of plain values",
    150,
    fc.asyncProperty(fc.array(happenings, { maxLength: 25, size: "max" }), async (list) => {
      const run = new Run();
      await run.open();
      for (const happening of list) await run.step(happening);
      await run.checkAll();
      await run.step({ type: "reopen" });
      await run.checkAll();
    }),
  );
}

/** A repo and its model. */
class Run {
  readonly #store = new MemoryStore();
  readonly #entries: Entry[] = [];
  #repo!: Repo;
  #now = 1_000_000;
  #isReopened = false;

  async open(): Promise<void> {
    this.#repo = await Repo.open(this.#store, signer, { clock: () => this.#now });
  }

  get #value(): Value {
    return this.#entries.at(-1)?.value;
  }

  async step(happening: Happening): Promise<void> {
    switch (happening.type) {
      case "operation":
        this.#operate(happening.operation, happening.message);
        break;
      case "publish":
        this.#repo.publish(happening.value);
        this.#add({ value: this.#value, event: { value: happening.value } });
        break;
      case "putBytes":
        await this.#putBytes(happening.path, happening.bytes);
        break;
      case "wait":
        this.#now += happening.ms;
        break;
      case "reopen":
        await this.#repo.flush();
        await this.open();
        this.#isReopened = true;
        break;
      case "flush":
        await this.#repo.flush();
    }
    assert.deepStrictEqual(this.#repo.get(), this.#value);
    assert.equal(this.#repo.lastRecord?.seq ?? -1, this.#entries.length - 1);
  }

  #operate(operation: Operation, message: string): void {
    const expected = modelAll(this.#value, [operation]);
    const isVerb = operation.type !== "splice" && operation.type !== "push";
    const found = outcome(() => {
      if (isVerb && message === "") return applyVerb(this.#repo, operation);
      this.#repo.transaction((draft) => apply(draft, operation), { message });
    });
    sameOutcome(found, expected);
    if (expected instanceof Error) return;
    this.#changed(expected.value, message);
  }

  async #putBytes(path: Path, { seed, length, step }: Bytes): Promise<void> {
    const bytes = noise(seed, length);
    const expected = outcome(() => modelChange(this.#value, path, () => bytes));
    try {
      await this.#repo.putBytes(path, ReadableStream.from(pieces(bytes, step)));
    } catch (error) {
      return sameOutcome(error, expected);
    }
    sameOutcome(undefined, expected);
    this.#changed(expected as Value, "");
    const range = { start: length >>> 2, end: length - (length >>> 3) };
    const read = await new Response(this.#repo.readBytes(path, range)).bytes();
    assert.deepStrictEqual(read, bytes.subarray(range.start, range.end));
  }

  /** A change that changes nothing makes no record, as far as the repo remembers its chunks. */
  #changed(value: Value, message: string): void {
    const isNew = message !== "" || !isDeepStrictEqual(value, this.#value);
    const isWritten = this.#repo.lastRecord?.seq === this.#entries.length;
    if (isNew || this.#isReopened && isWritten) this.#add({ value, message });
  }

  #add(entry: { value: Value; message?: string; event?: Entry["event"] }): void {
    const time = Math.max(this.#now, this.#entries.at(-1)?.time ?? 0);
    this.#entries.push({ message: "", ...entry, time });
  }

  /** Everything that reads the past. */
  async checkAll(): Promise<void> {
    const entries = this.#entries;
    const history = [...this.#repo.history()].reverse();
    assert.deepStrictEqual(
      history.map(({ seq, time, message, hasEvent }) => ({ seq, time, message, hasEvent })),
      entries.map(({ time, message, event }, seq) => ({
        seq,
        time,
        message,
        hasEvent: event !== undefined,
      })),
    );
    assert.equal(this.#repo.at(-1), undefined);
    entries.forEach(({ value, time }, seq) => {
      assert.deepStrictEqual(this.#repo.at(seq)?.get(), value);
      assert.deepStrictEqual(this.#repo.at(history[seq])?.get(), value);
      const last = entries.findLastIndex((entry) => entry.time <= time);
      assert.equal(this.#repo.recordAt(new Date(time))?.seq, last);
    });
    this.#checkEvents();
    await this.#checkDifferences();
  }

  #checkEvents(): void {
    const told = (entries: readonly Entry[]) =>
      entries.flatMap(({ event }) => event === undefined ? [] : [event.value]);
    const found = (range?: { last?: number; since?: Date }) =>
      this.#repo.events(range).map(({ value }) => value);
    const all = told(this.#entries);
    assert.deepStrictEqual(found(), all);
    assert.deepStrictEqual(found({ last: 2 }), all.slice(-2));
    const since = this.#entries[this.#entries.length >>> 1]?.time ?? 0;
    assert.deepStrictEqual(
      found({ since: new Date(since) }),
      told(this.#entries.filter(({ time }) => time >= since)),
    );
  }

  async #checkDifferences(): Promise<void> {
    const states = [undefined, ...this.#entries.map((_, seq) => this.#repo.at(seq)!)];
    for (const [i, after] of states.entries()) {
      await checkDifference(this.#repo, states[i - 1], after);
      await checkDifference(this.#repo, after, states[(i * 7) % states.length]);
    }
  }
}

/** What `diff` gives, done one after the other to the value before, gives the value after. */
async function checkDifference(
  repo: Repo,
  before: Snapshot | undefined,
  after: Snapshot | undefined,
): Promise<void> {
  let patched: Place = valueOf(before);
  for (const difference of await repo.diff(before, after)) {
    const { path, kind } = difference;
    const there: Place = kind === "added" ? undefined : modelGet(patched, path);
    assert.deepStrictEqual(difference.before, there);
    assert(kind !== "changed" || !isDeepStrictEqual(difference.before, difference.after));
    patched = patch(patched, difference);
  }
  assert.deepStrictEqual(patched, valueOf(after));
}

function patch(value: Place, { path, kind, after }: Difference): Place {
  const last = path[path.length - 1];
  if (typeof last === "number" && kind !== "changed") {
    const [remove, insert] = kind === "added" ? [0, [after]] : [1, []];
    return modelSplice(value, path.slice(0, -1), last, remove, insert);
  }
  return modelChange(value, path, () => kind === "removed" ? NOTHING : after);
}

function valueOf(snapshot: Snapshot | undefined): Place {
  return snapshot === undefined ? NOTHING : snapshot.get();
}

function* pieces(bytes: Uint8Array, step: number): Generator<Uint8Array> {
  for (let at = 0; at < bytes.length; at += step) yield bytes.subarray(at, at + step);
}
