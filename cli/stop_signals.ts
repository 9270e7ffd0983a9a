/** Stopping a program. */

/** Aborts at the first SIGINT or SIGTERM; the second ends the process at once. */
export function stopSignals(): AbortController {
  const controller = new AbortController();
  const signals: Deno.Signal[] = Deno.build.os === "windows" ? ["SIGINT"] : ["SIGINT", "SIGTERM"];
  const stop = () => {
    for (const signal of signals) Deno.removeSignalListener(signal, stop);
    controller.abort();
  };
  for (const signal of signals) Deno.addSignalListener(signal, stop);
  return controller;
}
