/** Many mutations as commits within the limits of the database. */

/** Set to `value`, or deleted without one. */
export interface Mutation {
  readonly key: Deno.KvKey;
  readonly value?: Uint8Array;
}

/**
 * The database takes 800 KiB, 1,000 mutations and 80 KiB of keys a commit; room is left for how it
 * counts. Eleven of the largest blocks fit.
 */
const MAX_BYTES = 700 * 1024;
const MAX_MUTATIONS = 700;
const MAX_KEY_BYTES = 72 * 1024;

/** How often, and how long at most between two times, a locked database is asked again. */
const LOCKED_ATTEMPTS = 200;
const LOCKED_DELAY_MS = 20;

/** Whether `mutations` fit into one commit, with a little more. */
export function fitsOneCommit(mutations: readonly Mutation[]): boolean {
  const count = new Count();
  return mutations.every((mutation) => count.add(mutation));
}

/** `operation` with the mutations added. */
export function mutate(
  operation: Deno.AtomicOperation,
  mutations: readonly Mutation[],
): Deno.AtomicOperation {
  for (const { key, value } of mutations) {
    if (value === undefined) operation.delete(key);
    else operation.set(key, value);
  }
  return operation;
}

/**
 * Commits `operation`. While another process writes, a local database refuses at once instead of
 * waiting; nothing of the operation has happened then.
 */
export async function commit(
  operation: Deno.AtomicOperation,
): Promise<Deno.KvCommitResult | Deno.KvCommitError> {
  for (let attempt = 1;; attempt++) {
    try {
      return await operation.commit();
    } catch (error) {
      const isLocked = error instanceof Error && error.message.includes("database is locked");
      if (!isLocked || attempt === LOCKED_ATTEMPTS) throw error;
    }
    await new Promise((resolve) => setTimeout(resolve, Math.random() * LOCKED_DELAY_MS));
  }
}

/** Commits `mutations` in order, in as few commits as the limits allow. */
export async function commitAll(kv: Deno.Kv, mutations: Iterable<Mutation>): Promise<void> {
  let count = new Count();
  let batch: Mutation[] = [];
  for (const mutation of mutations) {
    if (!count.add(mutation)) {
      await commit(mutate(kv.atomic(), batch));
      batch = [];
      count = new Count();
      count.add(mutation);
    }
    batch.push(mutation);
  }
  if (batch.length > 0) await commit(mutate(kv.atomic(), batch));
}

/** Deletes everything below `prefix`. */
export async function deleteBelow(kv: Deno.Kv, prefix: Deno.KvKey): Promise<void> {
  let batch: Mutation[] = [];
  // Listing reads the values too: few at a time, as they may be blocks.
  for await (const { key } of kv.list({ prefix }, { batchSize: 32 })) {
    batch.push({ key });
    if (batch.length < 256) continue;
    await commitAll(kv, batch);
    batch = [];
  }
  await commitAll(kv, batch);
}

class Count {
  #bytes = 0;
  #mutations = 0;
  #keyBytes = 0;

  /** Whether one more fits; it is counted if it does. */
  add({ key, value }: Mutation): boolean {
    const keyBytes = keySize(key);
    const bytes = keyBytes + (value?.length ?? 0);
    const fits = this.#bytes + bytes <= MAX_BYTES && this.#mutations < MAX_MUTATIONS &&
      this.#keyBytes + keyBytes <= MAX_KEY_BYTES;
    if (!fits) return false;
    this.#bytes += bytes;
    this.#keyBytes += keyBytes;
    this.#mutations++;
    return true;
  }
}

/** At least the bytes of an encoded key: parts of bytes may have to be escaped. */
function keySize(key: Deno.KvKey): number {
  let size = 0;
  for (const part of key) {
    if (typeof part === "string") size += part.length + 2;
    else if (part instanceof Uint8Array) size += 2 * part.length + 2;
    else size += 9;
  }
  return size;
}
