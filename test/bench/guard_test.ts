import { assertEquals, assertRejects } from "@std/assert";
import { Guard, quote } from "../../bench/servers/guard.ts";
import { withUringSetting } from "../../bench/servers/uring_setting.ts";
import { missingPermission, missingProgram, testIf } from "../requirements.ts";

const MISSING = missingPermission("run", "read", "write", "env") ||
  missingProgram("bash");
const MODULE = new URL("../../bench/servers/guard.ts", import.meta.url).href;

testIf(
  MISSING,
  "a guard runs what was not forgotten, the last first",
  async () => {
    const path = await Deno.makeTempFile();
    try {
      {
        await using guard = new Guard();
        await guard.add(`echo one >>${quote(path)}`);
        const forget = await guard.add(`echo two >>${quote(path)}`);
        await guard.add(`echo "th'ree" >>${quote(path)}`);
        await forget();
        const many = await Promise.all(
          Array.from({ length: 20 }, (_, i) => guard.add(`echo ${i} >&2`)),
        );
        await Promise.all(many.map((each) => each()));
        assertEquals(await Deno.readTextFile(path), "");
      }
      assertEquals(await Deno.readTextFile(path), "th'ree\none\n");
    } finally {
      await Deno.remove(path);
    }
  },
);

testIf(
  MISSING,
  "a guard runs its commands when the process that started it is killed",
  async () => {
    const path = await Deno.makeTempFile();
    const program = `
      import { Guard } from ${JSON.stringify(MODULE)};
      await new Guard().add(${JSON.stringify(`echo done >${quote(path)}`)});
      Deno.kill(Deno.pid, "SIGKILL");
    `;
    try {
      const { signal } = await new Deno.Command(Deno.execPath(), {
        args: ["eval", program],
        stdin: "null",
        stdout: "null",
        stderr: "null",
      }).output();
      assertEquals(signal, "SIGKILL");
      // It runs beside this process, which cannot wait for it.
      for (let i = 0; i < 500; i++) {
        if (await Deno.readTextFile(path) === "done\n") break;
        await new Promise((resolve) => setTimeout(resolve, 10));
      }
      assertEquals(await Deno.readTextFile(path), "done\n");
    } finally {
      await Deno.remove(path);
    }
  },
);

testIf(
  missingProgram("bash"),
  "quote() makes one word of anything",
  async () => {
    const text = "a 'b' $(c) \\ \"d\"";
    const { stdout } = await new Deno.Command("bash", {
      args: ["-c", `printf %s ${quote(text)}`],
    }).output();
    assertEquals(new TextDecoder().decode(stdout), text);
  },
);

testIf(
  MISSING,
  "withUringSetting() restores what was set, also after an error",
  async () => {
    const path = await Deno.makeTempFile();
    const read = async () => (await Deno.readTextFile(path)).trim();
    try {
      await using guard = new Guard();
      for (const before of ["N", "Y"]) {
        await Deno.writeTextFile(path, `${before}\n`);
        assertEquals(await withUringSetting("Y", guard, read, path), "Y");
        assertEquals(await read(), before);
        await assertRejects(
          () =>
            withUringSetting("N", guard, async () => {
              throw new Error(await read());
            }, path),
          Error,
          "N",
        );
        assertEquals(await read(), before);
        assertEquals(await withUringSetting(null, guard, read, path), before);
      }
    } finally {
      await Deno.remove(path);
    }
  },
);
