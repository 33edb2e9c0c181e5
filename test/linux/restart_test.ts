import { assertEquals } from "@std/assert";
import { missingPermission, testIf } from "../requirements.ts";
import { inTemporaryDirectory, run } from "./_fixtures.ts";

const missing = missingPermission("ffi", "read", "write", "run");
const SOURCES = new URL("../../src/linux/syscall/", import.meta.url).href;

/** Prints its id and arguments, and restarts itself once, beside a busy Worker. */
const PROGRAM = `
import { environmentVariable, setEnvironmentVariable } from "${SOURCES}process.ts";
import { restartProgram } from "${SOURCES}restart.ts";

console.log(JSON.stringify([Deno.pid, Deno.args]));
if (environmentVariable("RESTARTED") === null) {
  setEnvironmentVariable("RESTARTED", "yes");
  const busy = new Blob(["postMessage(0); for (;;);"]);
  const worker = new Worker(URL.createObjectURL(busy), { type: "module" });
  // While a Worker starts, Deno makes threads, and ends if execve(2) prevents it.
  worker.onmessage = () => restartProgram();
}
`;

testIf(
  missing,
  "a program restarts itself with the same id and arguments",
  async () => {
    await inTemporaryDirectory(async (directory) => {
      const main = `${directory}/main.ts`;
      await Deno.writeTextFile(main, PROGRAM);
      // Longer than one read(2) of /proc/self/cmdline.
      const args = ["a b", "", "\u00fc", "x".repeat(50_000), "--last"];
      const { code, text } = await run(
        Deno.execPath(),
        "run",
        "--no-prompt",
        "--no-lock",
        "--no-config",
        "--allow-ffi",
        main,
        ...args,
      );
      assertEquals(code, 0, text);
      const [first, second, ...more] = text.trim().split("\n");
      assertEquals(JSON.parse(first!)[1], args);
      assertEquals(more, []);
      assertEquals(second, first);
    });
  },
);
