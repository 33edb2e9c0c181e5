import { assert, assertEquals, assertThrows } from "@std/assert";
import {
  readText,
  removeFile,
  writeExisting,
  writeTextFile,
} from "../../src/linux/files.ts";
import { absolutePath, pathKind, readLink } from "../../src/linux/paths.ts";
import { SystemError } from "../../src/linux/system_error.ts";
import { libc } from "../../src/linux/libc.ts";
import { inTemporaryDirectory, run } from "./_fixtures.ts";

const ignore = false;
// Opened here, it is none of what the first test would be said to leak.
if (!ignore) libc();

Deno.test({
  name: "absolutePath resolves the directory and keeps the last name",
  ignore,
}, async () => {
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
});

Deno.test({
  name: "absolutePath refuses a missing directory and no path",
  ignore,
}, () => {
  const error = assertThrows(() => absolutePath("/none/x"), SystemError);
  assertEquals(
    error.message,
    'Cannot find the directory of "/none/x": No such file or directory',
  );
  assertThrows(() => absolutePath(""), SystemError);
  assertThrows(() => absolutePath("a\0b/c"), TypeError, "NUL");
});

Deno.test(
  { name: "pathKind tells what lies there, links unfollowed", ignore },
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

Deno.test({
  name: "readText reads files of any length, and those of /proc",
  ignore,
}, async () => {
  await inTemporaryDirectory(async (directory) => {
    const text = "zw\u00f6lf ".repeat(10000);
    await Deno.writeTextFile(`${directory}/long`, text);
    assertEquals(readText(`${directory}/long`), text);
    assert(readText("/proc/self/status").includes("CapEff:"));
    const error = assertThrows(() => readText(directory), SystemError);
    assertEquals(error.message, `Cannot read ${directory}: Is a directory`);
  });
});

Deno.test({
  name: "writeTextFile writes, overwrites or refuses, and removes its own",
  ignore,
}, async () => {
  await inTemporaryDirectory(async (directory) => {
    const path = `${directory}/pid`;
    const first = writeTextFile(path, "123456\n", { exclusive: true });
    assertEquals(await Deno.readTextFile(path), "123456\n");
    const error = assertThrows(
      () => writeTextFile(path, "2\n", { exclusive: true }),
      SystemError,
    );
    assertEquals(error.code, "EEXIST");
    writeTextFile(path, "2\n");
    assertEquals(await Deno.readTextFile(path), "2\n");
    assertEquals(first.remove(), true);
    assertEquals(first.remove(), false);
    assertEquals(pathKind(path), "missing");
  });
});

Deno.test({
  name: "a file that took the written one's place is not removed",
  ignore,
}, async () => {
  await inTemporaryDirectory(async (directory) => {
    const path = `${directory}/pid`;
    const written = writeTextFile(path, "1\n", { mode: 0o600 });
    assertEquals((await Deno.stat(path)).mode! & 0o777, 0o600);
    await Deno.writeTextFile(`${directory}/new`, "2\n");
    await Deno.rename(`${directory}/new`, path);
    assertEquals(written.remove(), false);
    assertEquals(await Deno.readTextFile(path), "2\n");
  });
});

Deno.test({
  name: "writeTextFile follows no link, writeExisting makes no file",
  ignore,
}, async () => {
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
});
