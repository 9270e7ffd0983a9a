/**
 * Does what was planned: first the folder, then one commit, so that an error of the repo leaves the
 * folder right. The base learns of a path only when both sides hold it.
 */

import { downloadAll } from "./download.ts";
import type { Action } from "./plan.ts";
import { commit } from "./upload.ts";
import { type Applied, type ApplyOptions, Work } from "./work.ts";

/** Does all `actions`; a path that fails is a problem in the result and the rest goes on. */
export async function apply(
  actions: readonly Action[],
  options: ApplyOptions,
): Promise<Applied> {
  const work = new Work(options);
  const pick = (kind: Action["do"]): string[] =>
    actions.filter((action) => action.do === kind).map((action) => action.path);
  for (const path of pick("forget")) options.base.delete(path);
  for (const path of pick("settle")) settle(work, path);
  try {
    for (const path of pick("aside")) await work.attempt(path, () => stepAside(work, path));
    for (const path of pick("delete")) await work.attempt(path, () => deleteFile(work, path));
    await downloadAll(work, {
      plain: [...pick("download"), ...pick("reconcile")],
      beside: pick("beside"),
    });
  } finally {
    work.disk.syncFolders();
  }
  await commit(work, pick("upload"), pick("remove"));
  return work;
}

/** Both sides hold the same already. */
function settle(work: Work, path: string): void {
  const { scan, comparison, base } = work.options;
  const found = scan.found.get(path);
  const entry = comparison.entries.get(path);
  const hash = work.rows.get(path)?.folder;
  if (found === undefined || entry === undefined || hash === undefined) return;
  const stat = work.settledStat(found);
  base.set(path, { hash, id: entry.id, executable: found.executable, stat });
}

async function stepAside(work: Work, path: string): Promise<void> {
  const found = work.options.scan.found.get(path);
  if (found !== undefined) await work.moveAside(path, found);
}

function deleteFile(work: Work, path: string): void {
  const expected = work.expected(path);
  if (expected === undefined) return;
  work.disk.delete(path, expected);
  work.options.base.delete(path);
  work.deleted++;
}
