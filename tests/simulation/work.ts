/** What people do on a device. */

import type { Value } from "../../core/codec/value.ts";
import type { Draft } from "../../core/repo/draft.ts";
import type { Repo } from "../../core/repo/repo.ts";
import type { Chance } from "./chance.ts";
import type { Device } from "./device.ts";
import { largeText } from "./shown.ts";
import { idAt, type Truth } from "./truth.ts";

/** How much one run does. */
export interface WorkLoad {
  /** Mean milliseconds between two moments in which something is written on a device. */
  readonly pauseMs: number;
  /** Longest large value. */
  readonly largeBytes: number;
  /** How often a log is compacted, of 1 a moment. */
  readonly compactions: number;
}

type Step = (draft: Draft, truth: Truth, name: string, chance: Chance) => void;

/** Keys that only this device writes, and deletes. */
const setOwn: Step = (draft, truth, name, chance) => {
  const place = ["own", name, `k${chance.integer(0, 3)}`];
  const saw = idAt(draft.get(...place), []);
  const isDeleted = saw !== undefined && chance.is(0.2);
  const id = truth.add(name, { kind: isDeleted ? "delete" : "set", place: place.join("/"), saw });
  if (isDeleted) draft.delete(...place);
  else draft.set(...place, id);
};

/** Keys that all devices of the author write. */
const setShared: Step = (draft, truth, name, chance) => {
  const place = ["shared", `k${chance.integer(0, 3)}`];
  const saw = idAt(draft.get(...place), []);
  draft.set(...place, truth.add(name, { kind: "set", place: place.join("/"), saw }));
};

const insertElement: Step = (draft, truth, name, chance) => {
  const id = truth.add(name, { kind: "insert", place: "list", saw: undefined });
  const size = (draft.get("list") as Value[] | undefined)?.length ?? 0;
  if (chance.is(0.7)) draft.push(["list"], id);
  else draft.insert(["list"], chance.integer(0, size), id);
};

/** A list from which elements are taken away as well. */
const changeQueue: Step = (draft, truth, name, chance) => {
  const size = (draft.get("queue") as Value[] | undefined)?.length ?? 0;
  if (size > 3 && chance.is(0.5)) {
    truth.add(name, { kind: "remove", place: "queue", saw: undefined });
    draft.splice(["queue"], chance.integer(0, size - 2), chance.integer(1, 2));
  } else {
    draft.push(["queue"], truth.add(name, { kind: "insert", place: "queue", saw: undefined }));
  }
};

const insertLine: Step = (draft, truth, name, chance) => {
  const lines = String(draft.get("text") ?? "").split("\n").slice(0, 60);
  const id = truth.add(name, { kind: "line", place: "text/line", saw: undefined });
  lines.splice(chance.integer(0, lines.length), chance.integer(0, 1), id);
  draft.set("text", lines.join("\n"));
};

/** Two keys in one transaction. */
const setPair: Step = (draft, truth, name) => {
  const place = ["pairs", name];
  const saw = idAt(draft.get(...place, "left"), []);
  const id = truth.add(name, { kind: "set", place: [...place, "left"].join("/"), saw });
  draft.set(...place, { left: id, right: id });
};

const STEPS: readonly Step[] = [
  setOwn,
  setOwn,
  setShared,
  insertElement,
  changeQueue,
  insertLine,
  setPair,
];

/** Does something on `device`; whoever reads from a slow disk waits for it. */
export async function work(device: Device, load: WorkLoad): Promise<void> {
  const { own, chance, options: { author, isCompacting } } = device;
  if (own === undefined || author === undefined) return;
  const { truth } = author;
  if (isCompacting && chance.is(load.compactions)) return await compact(device, own, truth);
  const count = chance.is(0.2) ? chance.integer(2, 6) : 1;
  for (let i = 0; i < count; i++) await writeOnce(device, own, truth, load);
  if (chance.is(0.3)) await device.flush();
  if (chance.is(0.3) && device.sessions.length > 0) await device.land(chance.of(device.sessions));
}

async function writeOnce(device: Device, own: Repo, truth: Truth, load: WorkLoad): Promise<void> {
  const { chance, name, life } = device;
  // Chosen before: what is read again chooses the same.
  const kind = chance.integer(0, 99);
  const step = chance.of(STEPS);
  const length = Math.floor(chance.skewed(100, load.largeBytes));
  const change = (): void => {
    if (kind < 25) {
      const id = truth.add(name, { kind: "publish", place: "", saw: undefined });
      own.publish(id);
      truth.find(id)!.seq = own.lastRecord?.seq;
    } else if (kind < 35) {
      const place = ["large", `k${chance.integer(0, 1)}`];
      const saw = idAt(own.get(...place), []);
      const id = truth.add(name, { kind: "set", place: place.join("/"), saw });
      own.set(...place, largeText(id, length));
    } else own.transaction((draft) => step(draft, truth, name, chance));
  };
  device.pending++;
  try {
    await own.read(() => {
      if (life === undefined || life.isOver) return;
      const before = truth.count(name);
      try {
        change();
        device.wrote(truth.since(name, before));
      } catch (error) {
        truth.takeBack(name, before);
        throw error;
      }
    });
  } catch (error) {
    device.failed("writing", error);
  } finally {
    if (life?.isOver === false) device.pending--;
  }
}

async function compact(device: Device, own: Repo, truth: Truth): Promise<void> {
  const { life, name } = device;
  const keepRecords = device.chance.of([0, 3, 10]);
  const idsOf = async () => (await own.read(() => own.events())).map(({ value }) => String(value));
  try {
    // What is kept may be forgotten by the next one.
    truth.forget(await idsOf());
    device.note("compacts");
    device.compactions++;
    await own.compact({ keepRecords });
    const left = new Set(await idsOf());
    const start = await own.read(() => own.history().find(({ message }) => message === "compact"));
    truth.forgetBefore(name, start?.seq ?? 0, left);
    device.note(`compacted up to record ${start?.seq}`);
  } catch (error) {
    device.failed("compacting", error);
  } finally {
    if (life?.isOver === false) device.compactions--;
  }
}
