/** Writing a small file so that a crash leaves the old one or the new one. */

/** Writes `text` to a name beside `file`, makes it durable, and renames it. */
export async function writeAtomic(file: string, text: string): Promise<void> {
  const temporary = `${file}.new`;
  const handle = await Deno.open(temporary, { write: true, create: true, truncate: true });
  try {
    const bytes = new TextEncoder().encode(text);
    for (let at = 0; at < bytes.length;) at += await handle.write(bytes.subarray(at));
    await handle.syncData();
  } finally {
    handle.close();
  }
  await Deno.rename(temporary, file);
}
