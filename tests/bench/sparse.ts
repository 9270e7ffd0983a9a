/** One file of a large repo over the network: what a reader asks for and gets that has nothing of it. */

import { join } from "node:path";
import { FileStore } from "../../cli/file_store.ts";
import { fileName, fileText, writeFiles } from "../suites/many_files.ts";
import { signerOf } from "../suites/people.ts";
import { readOverHttp, readOverSync, startWire, type Wire } from "../suites/wire.ts";
import { type Bench, seconds } from "./bench.ts";
import { startChild } from "./child.ts";

/** A repo of 1 GB as a mirror makes it, served by a relay in a process of its own. */
export async function sparse(bench: Bench): Promise<void> {
  const count = bench.size(100_000, 300);
  const directory = await Deno.makeTempDir();
  const { key } = await signerOf("writer");
  try {
    const place = join(directory, "data");
    const store = await FileStore.open(place);
    await writeFiles(store, await signerOf("writer"), count);
    await store.close();
    const relay = startChild("files_relay_child.ts", place);
    const wire = startWire(Number(await relay.line()));
    try {
      // What the relay works out once, for all readers, is no part of what one of them waits for.
      await readOverHttp(wire.host, key, ["files", fileName(0)]);
      await measure(
        bench,
        "sync",
        wire,
        () => readOverSync(wire.host, key, ["files", fileName(count >> 1)]),
        fileText(count >> 1),
      );
      await measure(
        bench,
        "HTTP",
        wire,
        () => readOverHttp(wire.host, key, ["files", fileName(count >> 2)]),
        fileText(count >> 2),
      );
    } finally {
      await relay.stop();
      await wire.stop();
    }
  } finally {
    await Deno.remove(directory, { recursive: true });
  }
}

async function measure(
  bench: Bench,
  name: string,
  wire: Wire,
  read: () => ReturnType<typeof readOverSync>,
  text: string,
): Promise<void> {
  wire.bytes = 0;
  let trips = 0;
  const time = await seconds(async () => {
    const found = await read();
    if (found.value !== text) throw new Error("the file is not what was written");
    trips = found.trips;
  });
  const overhead = (wire.bytes - text.length) / 1024;
  const [two, most] = [{ value: 2, atMost: true }, { value: 64, atMost: true }];
  bench.row({
    name: `sparse: 10 KB of a 1 GB repo, ${name}`,
    value: trips,
    unit: "trips",
    reach: two,
  });
  bench.row({ name: "  overhead", value: overhead, unit: "KiB", reach: most });
  bench.row({ name: "  from nothing to the file", value: time * 1000, unit: "ms" });
}
