import { assert, assertEquals, assertThrows } from "@std/assert";
import { startChild } from "../../src/linux/syscall/child_process.ts";
import {
  closeDescriptor,
  OPEN,
  openDescriptor,
} from "../../src/linux/syscall/descriptor.ts";
import { SystemError } from "../../src/linux/syscall/system_error.ts";
import { kernelTest } from "../requirements.ts";
import { inTemporaryDirectory } from "./_fixtures.ts";

function shell(script: string, descriptors: number[] = []) {
  return startChild({
    path: "/bin/sh",
    args: ["sh", "-c", script],
    environment: ["GREETING=hello you"],
    descriptors,
  });
}

kernelTest(
  "a child gets its arguments, environment and descriptors",
  async () => {
    await inTemporaryDirectory(async (directory) => {
      const path = `${directory}/out`;
      const nothing = openDescriptor("/dev/null", OPEN.RDWR);
      const out = openDescriptor(path, OPEN.WRONLY | OPEN.CREAT);
      try {
        const script = 'echo "$GREETING" >&2; ls -l /proc/self/fd >&2; exit 3';
        // Crosswise, so that each target is the source of another.
        const child = shell(script, [nothing, nothing, out]);
        assertEquals(child.wait(5000), { code: 3, signal: null });
        assertEquals(child.wait(0), { code: 3, signal: null });
        const text = await Deno.readTextFile(path);
        assert(text.startsWith("hello you\n"), text);
        // It is inherited as 2, and as 1 by the redirection, but not by its number.
        assertEquals(text.split(`-> ${path}\n`).length - 1, 2, text);
      } finally {
        closeDescriptor(nothing);
        closeDescriptor(out);
      }
    });
  },
);

kernelTest("a child process that does not end in time is killed", () => {
  const child = shell("exec sleep 30");
  const start = performance.now();
  assertEquals(child.wait(50), null);
  assert(performance.now() - start < 5000);
  child.kill();
  assertEquals(child.wait(0), { code: null, signal: 9 });
  child.kill();
});

kernelTest("a missing program is an error", () => {
  const error = assertThrows(
    () =>
      startChild({
        path: "/nowhere/at all",
        args: ["it"],
        environment: [],
        descriptors: [],
      }),
    SystemError,
  );
  assertEquals(error.code, "ENOENT");
  assertEquals(
    error.message,
    "Cannot start /nowhere/at all: No such file or directory",
  );
});
