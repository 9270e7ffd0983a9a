/** Which key each dataset of a data directory has: a mistyped password shows as another key. */

import { join } from "node:path";
import { StreamoError } from "../core/errors.ts";
import type { Signer } from "../core/identity/signer.ts";
import { writeAtomic } from "./write_atomic.ts";

/** Notes the dataset's key, or throws `wrong_key` if the directory knows it under another one. */
export async function checkDataset(
  dataDir: string,
  username: string,
  signer: Signer,
): Promise<void> {
  const file = join(dataDir, "datasets.json");
  const datasets = await read(file);
  const name = JSON.stringify([username, signer.name]);
  const known = datasets[name];
  if (known === signer.key) return;
  if (known !== undefined) {
    throw new StreamoError(
      "wrong_key",
      `this password gives the key ${signer.key}, but "${signer.name}" of ${username} in ` +
        `"${dataDir}" has the key ${known}: is the password right?`,
    );
  }
  await writeAtomic(file, JSON.stringify({ ...datasets, [name]: signer.key }, null, 2));
}

async function read(file: string): Promise<Readonly<Record<string, string>>> {
  try {
    return parse(await Deno.readTextFile(file));
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return {};
    if (error instanceof SyntaxError) {
      throw new StreamoError("damaged", `"${file}" is not whole; delete it to go on`, {}, {
        cause: error,
      });
    }
    throw error;
  }
}

/** SyntaxError for anything but an object of texts. */
function parse(text: string): Readonly<Record<string, string>> {
  const datasets: unknown = JSON.parse(text);
  const isObject = typeof datasets === "object" && datasets !== null && !Array.isArray(datasets);
  if (isObject && Object.values(datasets).every((key) => typeof key === "string")) {
    return datasets as Record<string, string>;
  }
  throw new SyntaxError("not an object of texts");
}
