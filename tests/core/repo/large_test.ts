import { largeValues } from "../../suites/large_values.ts";

Deno.test("a map and a list of 200,000 entries: every change costs its path", async () => {
  await largeValues(200_000);
});
