/** A password that nobody has to think of: made once, kept beside the data that it signs. */

import { join } from "node:path";
import { StreamoError } from "../core/errors.ts";

/** 128 bits: nobody guesses it, whatever the public key tells. */
const SECRET_BYTES = 16;

/** A password and where it is kept. */
export interface KeptPassword {
  readonly password: string;
  readonly file: string;
  /** Whether it was made now. */
  readonly isNew: boolean;
}

/** The password in `dataDir`; a random one is made if there is none. Only its owner may read the file. */
export async function keptPassword(dataDir: string): Promise<KeptPassword> {
  const file = join(dataDir, "password");
  const kept = await read(file);
  if (kept !== undefined) return { password: kept, file, isNew: false };
  await Deno.mkdir(dataDir, { recursive: true });
  const password = crypto.getRandomValues(new Uint8Array(SECRET_BYTES)).toHex();
  // Linked to its name when it is whole: of two processes that begin at once, one gives way.
  const temporary = `${file}.${password.slice(0, 8)}`;
  await Deno.writeTextFile(temporary, `${password}\n`, { createNew: true, mode: 0o600 });
  try {
    await Deno.link(temporary, file);
  } catch (error) {
    if (!(error instanceof Deno.errors.AlreadyExists)) throw error;
    return { password: (await read(file))!, file, isNew: false };
  } finally {
    await Deno.remove(temporary);
  }
  return { password, file, isNew: true };
}

async function read(file: string): Promise<string | undefined> {
  let text: string;
  try {
    text = (await Deno.readTextFile(file)).trim();
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return undefined;
    throw error;
  }
  if (text !== "") return text;
  throw new StreamoError("damaged", `"${file}" is empty; restore it, or delete it for a new key`);
}
