import assert from "node:assert/strict";
import { type Action, decide, plan } from "../../../cli/mirror/plan.ts";
import type { Row } from "../../../cli/mirror/compare.ts";

type Hash = string | undefined;

// base, folder, repo: what to do. "-" is absent.
const TABLE = `
  - - - nothing
  - - X download
  - X - upload
  - X X settle
  - X Y reconcile
  A - - forget
  A - A remove
  A - B download
  A A - delete
  A A A nothing
  A A B download
  A B - upload
  A B A upload
  A B B settle
  A B C reconcile
`.trim().split("\n").map((line) => line.trim().split(" "));

Deno.test("decide() follows the table for every combination", () => {
  const hash = (text: string): Hash => text === "-" ? undefined : text;
  for (const [base, folder, repo, action] of TABLE) {
    const row = { path: "p", base: hash(base), folder: hash(folder), repo: hash(repo) };
    assert.equal(decide(row) ?? "nothing", action, `${base} ${folder} ${repo}`);
  }
});

Deno.test("decide() covers all 64 combinations, deletes only what is in the base, and is symmetric", () => {
  const mirrored = new Map<string, string>([
    ["upload", "download"],
    ["download", "upload"],
    ["delete", "remove"],
    ["remove", "delete"],
  ]);
  const values: Hash[] = [undefined, "A", "B", "C"];
  for (const base of values) {
    for (const folder of values) {
      for (const repo of values) {
        const action = decide({ path: "p", base, folder, repo });
        const other = decide({ path: "p", base, folder: repo, repo: folder });
        assert.equal(other, action && (mirrored.get(action) ?? action));
        if (action === "delete") assert.ok(base !== undefined && folder === base);
        if (action === "remove") assert.ok(base !== undefined && repo === base);
        // What is overwritten is what was agreed on, unless the other side was deleted.
        if (action === "download" && folder !== undefined) assert.equal(folder, base);
        if (action === "upload" && repo !== undefined) assert.equal(repo, base);
      }
    }
  }
});

const row = (path: string, base: Hash, folder: Hash, repo: Hash): Row => ({
  path,
  base,
  folder,
  repo,
});

function actionsOf(rows: Row[], onDisk: string[]): string[] {
  const { actions } = plan(rows, { onDisk: new Set(onDisk) });
  return actions.map((action: Action) => `${action.do} ${action.path}`);
}

Deno.test("plan() replaces a file by a folder and back", () => {
  assert.deepEqual(
    actionsOf([row("a", "A", "A", undefined), row("a/b", undefined, undefined, "B")], ["a"]),
    ["delete a", "download a/b"],
  );
  assert.deepEqual(
    actionsOf([row("a", undefined, undefined, "B"), row("a/b", "A", "A", undefined)], ["a/b"]),
    ["download a", "delete a/b"],
  );
});

Deno.test("plan() lets the folder keep the name where a path would be file and folder", () => {
  // The file was changed here, and replaced by a folder there.
  assert.deepEqual(
    actionsOf([row("a", "A", "B", undefined), row("a/b", undefined, undefined, "C")], ["a"]),
    ["aside a", "download a/b"],
  );
  // Nothing is to be done for the file itself.
  assert.deepEqual(actionsOf([row("a/b", undefined, undefined, "C")], ["a"]), [
    "aside a",
    "download a/b",
  ]);
  // The folder has new files here, and became a file there.
  assert.deepEqual(
    actionsOf([row("a", undefined, undefined, "B"), row("a/b", undefined, "C", undefined)], [
      "a/b",
    ]),
    ["beside a", "upload a/b"],
  );
  // The repo itself holds both.
  assert.deepEqual(
    actionsOf([row("a", undefined, undefined, "B"), row("a/b/c", undefined, undefined, "C")], []),
    ["beside a", "download a/b/c"],
  );
});

Deno.test("plan() reports paths that the file system takes for one, and the first stays", () => {
  const rows = ["Docs/x", "a", "b", "docs/y", "é", "e\u0301"].map((path) =>
    row(path, undefined, undefined, "X")
  );
  const fold = (path: string): string => path.normalize("NFC").toLowerCase();
  const { actions, collisions } = plan(rows, { onDisk: new Set(["A"]), fold });
  assert.deepEqual(actions.map(({ path }) => path), ["Docs/x", "b", "é"]);
  assert.deepEqual(collisions, [
    { path: "a", with: "A" },
    { path: "docs/y", with: "Docs" },
    { path: "e\u0301", with: "é" },
  ]);
  // A name that is given up on the same occasion is free.
  const renamed = [row("A", "X", "X", undefined), row("a", undefined, undefined, "X")];
  assert.deepEqual(plan(renamed, { onDisk: new Set(["A"]), fold }).collisions, []);
});
