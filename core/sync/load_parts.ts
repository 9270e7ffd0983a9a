/** What a session needs to connect: loaded when it does, because many pages never do. */

import { late } from "../late.ts";
import type { SessionOptions } from "./session_options.ts";

const load = late(() =>
  Promise.all([
    import("./session_parts.ts"),
    // What checks that arrives, and finds out whose place it takes: also when the network has gone.
    import("../repo/settling.ts"),
    import("../log/check_run.ts"),
    import("../log/proofs.ts"),
  ])
);
/** The same for who writes: repos may be opened, merged and compacted when the network has gone. */
const loadWriter = late(() =>
  Promise.all([
    import("../repo/repo_writer.ts"),
    import("../repo/plan_merge.ts"),
    import("../repo/compaction.ts"),
  ])
);

/** Loads it once; what failed is tried again at the next call. */
export async function loadParts(
  { signers = [] }: SessionOptions,
): Promise<typeof import("./session_parts.ts")> {
  const [[parts]] = await Promise.all([load(), signers.length > 0 && loadWriter()]);
  return parts;
}
