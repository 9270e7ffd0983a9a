/** The password prompt in a real terminal. */

import assert from "node:assert/strict";
import { hasTerminals, inTempFolder, person, type Program, streamo, until } from "../suites/cli.ts";

const ignore = !hasTerminals();

function ask(top: string): Program {
  return streamo(person(`${top}/data`), { terminal: true, env: { STREAMO_PASSWORD: "" } });
}

async function prompted(program: Program): Promise<void> {
  await until("the prompt", () => program.output.includes("Password of alice: "));
}

Deno.test({
  name: "a password is typed at a terminal without being shown, and corrected",
  ignore,
  fn: () =>
    inTempFolder(async (top) => {
      await using given = streamo(person(`${top}/other`));
      const [, key] = await given.line(/ key +(\S+)/);
      await using program = ask(top);
      await prompted(program);
      // Ctrl-U takes all of it back, Backspace the last character, however many bytes it has.
      await program.type("forgotten\x15correct hors\u00e9\x7fe\r");
      assert.equal((await program.line(/ key +(\w+)/))[1], key);
      assert.doesNotMatch(program.output, /forgotten|correct|hors/);
      await program.type("\x03");
      assert.equal((await program.ended).code, 0);
    }),
});

Deno.test({
  name: "Ctrl-C at the password prompt ends the command and leaves nothing behind",
  ignore,
  fn: () =>
    inTempFolder(async (top) => {
      await using program = ask(top);
      await prompted(program);
      await program.type("half\x03");
      const { code } = await program.ended;
      assert.equal(code, 2);
      assert.match(program.output, /streamo: stopped before a password was typed/);
      assert.doesNotMatch(program.output, /half/);
      assert.deepEqual([...Deno.readDirSync(top)], []);
    }),
});
