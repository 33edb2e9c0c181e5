import { assertEquals } from "@std/assert";
import { LinuxBlockFile } from "../../src/linux/io/block_file.ts";
import { openBlockFile } from "../../src/linux/io/open_block_file.ts";
import { hasCachestat } from "../../src/linux/io/page_cache.ts";
import { libc } from "../../src/linux/syscall/libc.ts";
import { missingPermission, missingProgram, testIf } from "../requirements.ts";
import { run } from "./_fixtures.ts";

const missing =
  missingPermission("ffi", "read", "write", "run", "env", "sys") ||
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

/** Runs with the path of an image on a disk: tmpfs has nothing to drop. */
async function onDisk(body: (path: string) => Promise<void>): Promise<void> {
  const dir = "/var/tmp";
  const directory = await Deno.makeTempDir({ dir, prefix: "mqfuse_linux_" });
  try {
    await body(`${directory}/disk.img`);
  } finally {
    await Deno.remove(directory, { recursive: true });
  }
}

testIf(
  missing,
  "isCached tells whether a whole range is in memory",
  () =>
    onDisk(async (path) => {
      await Deno.writeFile(path, new Uint8Array(4 * MIB).fill(1));
      const file = openBlockFile(path, { writable: true });
      try {
        const isCached = (position: number, length: number) =>
          file.isCached?.(position, length);
        assertEquals(isCached(0, 4 * MIB), true);
        assertEquals(isCached(5, 1), true);
        assertEquals(isCached(4 * MIB - 1, 1), true);
        assertEquals(isCached(4 * MIB - 1, 2), false);
        await uncache(path);
        assertEquals(isCached(0, MIB), false);
        const page = new Uint8Array(PAGE);
        // Reads the page, and with it those that follow.
        assertEquals(file.pread(page, 0, PAGE, 2 * MIB), PAGE);
        assertEquals(isCached(2 * MIB, PAGE), true);
        assertEquals(isCached(2 * MIB - 1, PAGE), false);
        assertEquals(isCached(0, 4 * MIB), false);
      } finally {
        file.close();
      }
    }),
);

testIf(missing, "isCached is false for a file that is not open", () => {
  assertEquals(new LinuxBlockFile(-1).isCached(0, PAGE), false);
});

testIf(missing, "hasCachestat() tells what this kernel has", () => {
  const [major, minor] = Deno.osRelease().split(".").map(Number);
  const since = major! > 6 || (major === 6 && minor! >= 5);
  assertEquals(hasCachestat(), since);
});
