import { assertEquals } from "@std/assert";
import { openBlockFile } from "../../src/linux/io/block_file.ts";
import { libc } from "../../src/linux/syscall/libc.ts";
import { missingPermission, missingProgram, testIf } from "../requirements.ts";
import { inTemporaryDirectory, run } from "./_fixtures.ts";

const missing = missingPermission("ffi", "read", "write", "run", "env") ||
  missingProgram("dd");
// Opened before the tests, so that the first one is not reported to leak it.
if (missing === "") libc();

const PAGE = 4096;
const MIB = 1 << 20;

/** Drops what the page cache holds of a file. */
async function uncache(path: string): Promise<void> {
  const options = ["oflag=nocache", "conv=notrunc,fdatasync", "count=0"];
  await run("dd", "if=/dev/null", `of=${path}`, ...options);
}

testIf(
  missing,
  "isCached tells whether a whole range is in memory",
  () =>
    inTemporaryDirectory(async (directory) => {
      const path = `${directory}/disk.img`;
      await Deno.writeFile(path, new Uint8Array(4 * MIB).fill(1));
      const file = openBlockFile(path, { writable: true });
      try {
        if (typeof file.isCached !== "function") throw new Error("no isCached");
        const isCached = file.isCached.bind(file);
        assertEquals(isCached(0, 4 * MIB), true);
        assertEquals(isCached(5, 1), true);
        assertEquals(isCached(4 * MIB - 1, 1), true);
        assertEquals(isCached(4 * MIB - 1, 2), false);
        await uncache(path);
        assertEquals(isCached(0, MIB), false);
        const byte = new Uint8Array(PAGE);
        // Reads the page, and with it those that follow.
        assertEquals(file.pread(byte, 0, PAGE, 2 * MIB), PAGE);
        assertEquals(isCached(2 * MIB, PAGE), true);
        assertEquals(isCached(2 * MIB - 1, PAGE), false);
        assertEquals(isCached(0, 4 * MIB), false);
      } finally {
        file.close();
      }
    }),
);
