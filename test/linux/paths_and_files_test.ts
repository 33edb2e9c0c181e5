import { assert, assertEquals, assertThrows } from "@std/assert";
import { UserError } from "../../src/base/user_error.ts";
import {
  readText,
  removeFile,
  writeExisting,
  writeTextFile,
} from "../../src/linux/syscall/text_file.ts";
import {
  absolutePath,
  pathKind,
  readLink,
} from "../../src/linux/syscall/paths.ts";
import { SystemError } from "../../src/linux/syscall/system_error.ts";
import { libc } from "../../src/linux/syscall/libc.ts";
import { missingPermission, testIf } from "../requirements.ts";
import { inTemporaryDirectory, run } from "./_fixtures.ts";

const missing = missingPermission("ffi", "read", "write", "run");
// Opened before the tests, so that the first one is not reported to leak it.
if (missing === "") libc();

testIf(
  missing,
  "absolutePath resolves the directory and keeps the last name",
  async () => {
    await inTemporaryDirectory(async (directory) => {
      await Deno.mkdir(`${directory}/real`);
      await Deno.symlink("real", `${directory}/link`);
      await Deno.symlink("nowhere", `${directory}/real/end`);
      const cases = [
        [`${directory}/link/end`, `${directory}/real/end`],
        [`${directory}/link/none`, `${directory}/real/none`],
        [`${directory}//link/../real//x`, `${directory}/real/x`],
        [`${directory}/link/`, `${directory}/link`],
        [`${directory}/link/.`, `${directory}/real`],
        [`${directory}/link/..`, directory],
        ["/", "/"],
        ["//", "/"],
        ["/x", "/x"],
        [".", Deno.cwd()],
        ["x", `${Deno.cwd()}/x`],
        ["./x/", `${Deno.cwd()}/x`],
      ] as const;
      for (const [path, absolute] of cases) {
        assertEquals(absolutePath(path), absolute, path);
      }
    });
  },
);

testIf(missing, "absolutePath refuses a missing directory and no path", () => {
  const error = assertThrows(() => absolutePath("/none/x"), SystemError);
  assertEquals(
    error.message,
    "Cannot find the directory of /none/x: No such file or directory (check the path)",
  );
  assertThrows(() => absolutePath(""), SystemError);
  assertThrows(() => absolutePath("a\0b/c"), UserError, "NUL");
});

testIf(
  missing,
  "pathKind returns the kind without following links",
  async () => {
    await inTemporaryDirectory(async (directory) => {
      await Deno.writeTextFile(`${directory}/file`, "");
      await Deno.symlink("nowhere", `${directory}/link`);
      await run("mkfifo", `${directory}/pipe`);
      assertEquals(pathKind(directory), "directory");
      assertEquals(pathKind(`${directory}/file`), "file");
      assertEquals(pathKind(`${directory}/link`), "symlink");
      assertEquals(pathKind(`${directory}/pipe`), "fifo");
      assertEquals(pathKind(`${directory}/none`), "missing");
      assertEquals(pathKind("/dev/null"), "character");
      const error = assertThrows(
        () => pathKind(`${directory}/file/x`),
        SystemError,
      );
      assertEquals(error.code, "ENOTDIR");
      assertEquals(readLink(`${directory}/link`), "nowhere");
      assertThrows(() => readLink(`${directory}/file`), SystemError, "Invalid");
    });
  },
);

testIf(
  missing,
  "readText reads files of any length, and those of /proc",
  async () => {
    await inTemporaryDirectory(async (directory) => {
      const text = "zw\u00f6lf ".repeat(10000);
      await Deno.writeTextFile(`${directory}/long`, text);
      assertEquals(readText(`${directory}/long`), text);
      assert(readText("/proc/self/status").includes("CapEff:"));
      const error = assertThrows(() => readText(directory), SystemError);
      assertEquals(error.message, `Cannot read ${directory}: Is a directory`);
    });
  },
);

testIf(
  missing,
  "writeTextFile writes, overwrites or refuses, and removes its own",
  async () => {
    await inTemporaryDirectory(async (directory) => {
      const path = `${directory}/pid`;
      const first = writeTextFile(path, "123456\n", { exclusive: true });
      assertEquals(await Deno.readTextFile(path), "123456\n");
      const error = assertThrows(
        () => writeTextFile(path, "2\n", { exclusive: true }),
        SystemError,
      );
      assertEquals(error.code, "EEXIST");
      const second = writeTextFile(path, "2\n");
      assertEquals(await Deno.readTextFile(path), "2\n");
      assertEquals(second.remove(), true);
      assertEquals(second.remove(), false);
      assertEquals(first.remove(), false);
      assertEquals(pathKind(path), "missing");
    });
  },
);

testIf(
  missing,
  "a file that replaced the written one is not removed",
  async () => {
    await inTemporaryDirectory(async (directory) => {
      const path = `${directory}/pid`;
      const written = writeTextFile(path, "1\n", { mode: 0o600 });
      assertEquals((await Deno.stat(path)).mode! & 0o777, 0o600);
      await Deno.writeTextFile(`${directory}/new`, "2\n");
      await Deno.rename(`${directory}/new`, path);
      assertEquals(written.remove(), false);
      assertEquals(await Deno.readTextFile(path), "2\n");
      const own = writeTextFile(path, "3\n");
      await Deno.utime(path, 1, 1);
      assertEquals(own.remove(), false, "it was written since");
    });
  },
);

testIf(
  missing,
  "writeTextFile follows no link, writeExisting creates no file",
  async () => {
    await inTemporaryDirectory(async (directory) => {
      await Deno.symlink("target", `${directory}/link`);
      const error = assertThrows(
        () => writeTextFile(`${directory}/link`, "x"),
        SystemError,
      );
      assertEquals(error.code, "ELOOP");
      assertThrows(() => writeExisting(`${directory}/none`, "x"), SystemError);
      assertEquals(removeFile(`${directory}/none`), false);
      assertEquals(removeFile(`${directory}/link`), true);
      assertThrows(() => removeFile(directory), SystemError, "Cannot remove");
    });
  },
);
