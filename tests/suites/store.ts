/**
 * What every {@link Store} promises, as one suite: a new store's test opens it and calls
 * {@link storeConformance}.
 */

import type { Store } from "../../core/log/store.ts";
import { asideTests } from "./store_asides.ts";
import { appendTests } from "./store_append.ts";
import { epochTests } from "./store_epochs.ts";
import { modelTests } from "./store_model.ts";
import { readTests } from "./store_read.ts";

/** One empty store for one test. */
export interface OpenedStore {
  readonly store: Store;
  /** Opens again what a closed store left; undefined for a store that lives in memory. */
  readonly reopen?: () => Promise<Store>;
  /** Removes everything; the last opened store is closed already. */
  dispose(): Promise<void>;
}

/** What a test of the suite is given. */
export interface StoreTest {
  /** The store, newest after a reopening. */
  store: Store;
  /** Whether the store reads its own copy of what it was given. */
  readonly durable: boolean;
  /** Closes and opens the store again; does nothing to a store that cannot be reopened. */
  reopen(): Promise<void>;
}

/** Tests by what they promise. */
export type StoreTests = Readonly<Record<string, (test: StoreTest) => Promise<void>>>;

const ALL: StoreTests = {
  ...appendTests,
  ...readTests,
  ...epochTests,
  ...asideTests,
  ...modelTests,
};

/** Registers the suite for the store that `open` gives, a new and empty one each time. */
export function storeConformance(name: string, open: () => Promise<OpenedStore>): void {
  for (const [promise, run] of Object.entries(ALL)) {
    Deno.test(`${name}: ${promise}`, () => runOne(open, run));
  }
}

/** The same as steps of one test, for a store that needs more than itself around it. */
export async function storeSteps(
  context: Deno.TestContext,
  open: () => Promise<OpenedStore>,
): Promise<void> {
  for (const [name, run] of Object.entries(ALL)) {
    await context.step({
      name,
      fn: () => runOne(open, run),
      sanitizeOps: false,
      sanitizeResources: false,
    });
  }
}

async function runOne(
  open: () => Promise<OpenedStore>,
  run: (test: StoreTest) => Promise<void>,
): Promise<void> {
  const opened = await open();
  const test: StoreTest = {
    store: opened.store,
    durable: opened.reopen !== undefined,
    reopen: async () => {
      if (opened.reopen === undefined) return;
      await test.store.close();
      test.store = await opened.reopen();
    },
  };
  try {
    await run(test);
  } finally {
    await test.store.close();
    await opened.dispose();
  }
}
