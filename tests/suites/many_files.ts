/** A repo as a mirror makes it: a flat map of many files of about 10 KB. */

import type { Signer } from "../../core/identity/signer.ts";
import type { Store } from "../../core/log/store.ts";
import type { Stored } from "../../core/repo/draft.ts";
import { Repo } from "../../core/repo/repo.ts";

/** Files that are stored before their part of the log is signed. */
const STEP = 1000;

/** The path of file `i`. */
export function fileName(i: number): string {
  return `src/part${i % 97}/module${i % 1009}/file${i}.ts`;
}

/** The text of file `i`: 10,240 characters, no two alike. */
export function fileText(i: number): string {
  return `// file ${i}\n${`export const value${i} = "${i * 7919}";\n`.repeat(400)}`.slice(
    0,
    10_240,
  );
}

/** Stores `count` files in one record, under `files`. */
export async function writeFiles(store: Store, signer: Signer, count: number): Promise<Repo> {
  const repo = await Repo.open(store, signer);
  const stored: Stored[] = [];
  for (let i = 0; i < count; i++) {
    stored.push(await repo.storeValue(fileText(i)));
    if (i % STEP === STEP - 1) await repo.flush();
  }
  repo.transaction((draft) => {
    for (let i = 0; i < count; i++) draft.set("files", fileName(i), stored[i]);
  });
  await repo.flush();
  return repo;
}
