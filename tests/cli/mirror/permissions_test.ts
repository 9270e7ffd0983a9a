import assert from "node:assert/strict";
import { fileURLToPath } from "node:url";

Deno.test({
  name: "what may not be read or written is reported, and nothing is deleted for it",
  ignore: Deno.build.os === "windows",
  fn: async () => {
    const tests = fileURLToPath(new URL("./permissions.ts", import.meta.url));
    const { success, stdout, stderr } = await new Deno.Command(Deno.execPath(), {
      args: ["test", "-A", "--no-check", tests],
    }).output();
    const said = new TextDecoder().decode(stdout) + new TextDecoder().decode(stderr);
    assert(success, said);
    assert.match(said, /3 passed/);
  },
});
