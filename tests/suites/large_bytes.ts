/** Bytes that are larger than memory should be, put and read in a process of their own. */

import { fileURLToPath } from "node:url";

/** What `large_bytes_child.ts` found. */
export interface LargeBytes {
  /** The most memory that the process had, in bytes. */
  readonly peakRss: number;
  readonly size: number;
  readonly logBytes: number;
  /** Whether what was read is what was written. */
  readonly isSame: boolean;
  readonly writeMs: number;
  readonly openMs: number;
  readonly readMs: number;
}

/** Puts `length` bytes into a repo of files, opens it again and reads them. */
export async function largeBytes(length: number): Promise<LargeBytes> {
  const folder = await Deno.makeTempDir();
  try {
    const child = fileURLToPath(new URL("large_bytes_child.ts", import.meta.url));
    const { success, stdout, stderr } = await new Deno.Command(Deno.execPath(), {
      args: ["run", "-A", "--no-check", child, folder, String(length)],
      stdin: "null",
    }).output();
    if (!success) throw new Error(new TextDecoder().decode(stderr));
    return JSON.parse(new TextDecoder().decode(stdout));
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}
