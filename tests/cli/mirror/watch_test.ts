import assert from "node:assert/strict";
import { StreamoError } from "../../../core/errors.ts";
import type { Report } from "../../../cli/mirror/mirror.ts";
import { Desk } from "./memory_tree.ts";

/** Lets a test wait until something is so, looking whenever something happened. */
class Watched {
  #wake: () => void = () => undefined;
  readonly reports: Report[] = [];
  readonly errors: StreamoError[] = [];

  readonly onReport = (report: Report): void => {
    this.reports.push(report);
    this.#wake();
  };

  readonly onError = (error: StreamoError): void => {
    this.errors.push(error);
    this.#wake();
  };

  async until(condition: () => boolean): Promise<void> {
    while (!condition()) {
      const { promise, resolve } = Promise.withResolvers<void>();
      this.#wake = resolve;
      await promise;
    }
  }
}

Deno.test("watch() syncs after changes of the folder and of the repo", async () => {
  await using desk = await Desk.open();
  desk.write("a", "1");
  const mirror = await desk.mirror();
  const watched = new Watched();
  const stop = new AbortController();
  const watching = mirror.watch({ signal: stop.signal, ...watched, rescanMs: 3_600_000 });
  await watched.until(() => desk.tree.text("a") === "1");
  desk.write("a", "2");
  await watched.until(() => desk.tree.text("a") === "2");
  desk.write("new/folder/b", "b");
  await watched.until(() => desk.tree.text("new/folder/b") === "b");
  desk.tree.put("c", "c");
  mirror.notify();
  await watched.until(() => desk.exists("c"));
  desk.remove("a");
  await watched.until(() => desk.tree.text("a") === undefined);
  stop.abort();
  await watching;
});

Deno.test("watch() does not drop a change that happens while a sync runs", async () => {
  await using desk = await Desk.open();
  desk.write("a", "1");
  const mirror = await desk.mirror();
  const watched = new Watched();
  const stop = new AbortController();
  desk.tree.beforeCommit = () => {
    desk.tree.beforeCommit = () => undefined;
    desk.write("late", "x");
  };
  const watching = mirror.watch({ signal: stop.signal, ...watched, rescanMs: 3_600_000 });
  await watched.until(() => desk.tree.text("late") === "x");
  stop.abort();
  await watching;
});

Deno.test("watch() comes to rest: its own files and base cause no endless syncs", async () => {
  await using desk = await Desk.open();
  desk.write("a", "1");
  desk.tree.put("b", "b");
  const mirror = await desk.mirror({ baseFile: desk.at("data/base") });
  const watched = new Watched();
  const stop = new AbortController();
  const options = { signal: stop.signal, ...watched, rescanMs: 3_600_000 };
  const watching = mirror.watch(options);
  await watched.until(() => desk.exists("b"));
  // A marker at the end: all that the first syncs caused has been handled when it arrives.
  for (const marker of ["m1", "m2", "m3"]) {
    desk.write(marker, marker);
    await watched.until(() => desk.tree.text(marker) === marker);
  }
  assert.ok(watched.reports.length < 20, `${watched.reports.length} syncs for four changes`);
  stop.abort();
  await watching;
});

Deno.test("watch() rescans now and then, as watchers miss changes", async () => {
  await using desk = await Desk.open();
  const mirror = await desk.mirror();
  const watched = new Watched();
  const stop = new AbortController();
  const watching = mirror.watch({ signal: stop.signal, ...watched, rescanMs: 10, quietMs: 1 });
  await watched.until(() => watched.reports.length === 1);
  // Nobody tells about this one.
  desk.tree.put("silent", "s");
  await watched.until(() => desk.exists("silent"));
  stop.abort();
  await watching;
});

Deno.test("watch() goes on after a coded error, and ends with it if nobody listens", async () => {
  await using desk = await Desk.open();
  desk.write("a", "a");
  const mirror = await desk.mirror();
  const watched = new Watched();
  const stop = new AbortController();
  const { signal } = stop;
  const watching = mirror.watch({ signal, ...watched, rescanMs: 20, quietMs: 1 });
  await watched.until(() => watched.reports.length > 0);
  Deno.renameSync(desk.folder, desk.outside("away"));
  await watched.until(() => watched.errors.some(({ code }) => code === "not_found"));
  Deno.renameSync(desk.outside("away"), desk.folder);
  const before = watched.reports.length;
  await watched.until(() => watched.reports.length > before);
  stop.abort();
  await watching;
  assert.equal(desk.tree.text("a"), "a");

  Deno.renameSync(desk.folder, desk.outside("away"));
  await assert.rejects(
    mirror.watch({ signal: new AbortController().signal }),
    (error) => error instanceof StreamoError,
  );
});
