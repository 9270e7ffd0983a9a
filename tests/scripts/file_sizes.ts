/** The cap on the length of files: one file is one concept. */

/** Most lines in a TypeScript file. */
export const FILE_MAX_LINES = 400;

/** Folders whose files nobody reads from top to bottom, or that are not ours. */
const SKIPPED = ["node_modules", "dist", "tests/vectors"];

/** A file past the cap. */
export interface LongFile {
  readonly path: string;
  readonly lines: number;
}

/** Every TypeScript file under `root` with more than `maxLines` lines, by path. */
export async function longFiles(root: string, maxLines: number): Promise<LongFile[]> {
  const found: LongFile[] = [];
  const visit = async (folder: string): Promise<void> => {
    for await (const entry of Deno.readDir(`${root}/${folder}`)) {
      const path = `${folder}${entry.name}`;
      if (entry.isDirectory && !entry.name.startsWith(".") && !SKIPPED.includes(path)) {
        await visit(`${path}/`);
      }
      if (!entry.isFile || !/\.tsx?$/.test(entry.name)) continue;
      const lines = countLines(await Deno.readTextFile(`${root}/${path}`));
      if (lines > maxLines) found.push({ path, lines });
    }
  };
  await visit("");
  return found.sort((a, b) => a.path < b.path ? -1 : 1);
}

/** Lines of `text`, a last line without a newline included. */
function countLines(text: string): number {
  return text.split("\n").length - (text.endsWith("\n") || text === "" ? 1 : 0);
}
