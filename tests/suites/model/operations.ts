/** What can be done to a value, as data: done to a model, a draft, a repo or a `Streamo`. */

import fc from "fast-check";
import type { Path, Value } from "../../../core/codec/value.ts";
import type { Draft } from "../../../core/repo/draft.ts";
import { paths, values } from "./arbitraries.ts";
import { modelChange, modelGet, modelSplice, NOTHING, type Place } from "./model.ts";

/** One change. */
export type Operation =
  | { readonly type: "set"; readonly path: Path; readonly value: Value }
  | { readonly type: "update"; readonly path: Path; readonly value: Value }
  | { readonly type: "delete"; readonly path: Path }
  | {
    readonly type: "splice";
    readonly path: Path;
    readonly at: number;
    readonly remove: number;
    readonly values: readonly Value[];
  }
  | { readonly type: "push"; readonly path: Path; readonly values: readonly Value[] };

const some = fc.array(values, { maxLength: 3 });

/** Any operation; more of those that change a part than of those that replace everything. */
export const operations: fc.Arbitrary<Operation> = fc.oneof(
  {
    weight: 5,
    arbitrary: fc.record({ type: fc.constant("set" as const), path: paths, value: values }),
  },
  {
    weight: 1,
    arbitrary: fc.record({ type: fc.constant("update" as const), path: paths, value: values }),
  },
  { weight: 2, arbitrary: fc.record({ type: fc.constant("delete" as const), path: paths }) },
  {
    weight: 2,
    arbitrary: fc.record({
      type: fc.constant("splice" as const),
      path: paths,
      at: fc.nat(20),
      remove: fc.nat(12),
      values: some,
    }),
  },
  {
    weight: 1,
    arbitrary: fc.record({ type: fc.constant("push" as const), path: paths, values: some }),
  },
);

const wideKeys = fc.nat(999).map((i) => `key${i}`);

/** Changes of what {@link wideStart} gives, all over it. */
export const wideOperations: fc.Arbitrary<Operation> = fc.oneof(
  {
    weight: 3,
    arbitrary: fc.record({
      type: fc.constant("set" as const),
      path: wideKeys.map((key) => ["map", key]),
      value: values,
    }),
  },
  {
    weight: 3,
    arbitrary: fc.record({
      type: fc.constant("delete" as const),
      path: wideKeys.map((key) => ["map", key]),
    }),
  },
  {
    weight: 1,
    arbitrary: fc.record({
      type: fc.constant("splice" as const),
      path: fc.constant(["list"]),
      at: fc.nat(700),
      remove: fc.oneof(fc.nat(3), fc.nat(700)),
      values: fc.array(fc.nat(9), { maxLength: 100, size: "max" }),
    }),
  },
  {
    weight: 1,
    arbitrary: fc.record({
      type: fc.constant("push" as const),
      path: fc.constant(["list"]),
      values: some,
    }),
  },
);

/** A map and a list of hundreds of small values. */
export const wideStart: fc.Arbitrary<Value> = fc.record({
  map: fc.array(wideKeys, { maxLength: 700, size: "max" })
    .map((names) => Object.fromEntries(names.map((name, i) => [name, i]))),
  list: fc.array(fc.nat(9), { maxLength: 700, size: "max" }),
}, { noNullPrototype: true });

/** What `update` makes of a value: depends on what was there. */
function updated(before: Value, value: Value): Value {
  return [before, value];
}

/** `value` after `operation`. */
export function modelApply(value: Place, operation: Operation): Place {
  const { path } = operation;
  switch (operation.type) {
    case "set":
      return modelChange(value, path, () => operation.value);
    case "update": {
      const before = modelGet(value, path);
      const after = updated(before === NOTHING ? undefined : before, operation.value);
      return modelChange(value, path, () => after);
    }
    case "splice":
      return modelSplice(value, path, operation.at, operation.remove, operation.values);
    case "push":
      return modelSplice(value, path, "end", 0, operation.values);
    case "delete": {
      const last = path[path.length - 1];
      if (typeof last === "number") return modelSplice(value, path.slice(0, -1), last, 1, []);
      return path.length === 0 ? undefined : modelChange(value, path, () => NOTHING);
    }
  }
}

/** The verbs that drafts, repos and `Streamo` have in common. */
export type Verbs = Pick<Draft, "set" | "update" | "delete">;

/** Does `operation` to `draft`. */
export function apply(draft: Draft, operation: Operation): void {
  if (operation.type === "splice") {
    return draft.splice(operation.path, operation.at, operation.remove, ...operation.values);
  }
  if (operation.type === "push") return draft.push(operation.path, ...operation.values);
  applyVerb(draft, operation);
}

/** Does an operation that is neither a splice nor a push. */
export function applyVerb(target: Verbs, operation: Operation): void {
  const { path } = operation;
  if (operation.type === "set") return target.set(...path, operation.value);
  if (operation.type === "delete") return target.delete(...path);
  if (operation.type === "update") {
    const { value } = operation;
    return target.update(...path, (before: Value) => updated(before, value));
  }
  throw new TypeError(`${operation.type} is not a verb of all`);
}
