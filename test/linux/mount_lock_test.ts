import { assert, assertEquals, assertThrows } from "@std/assert";
import { withMountLock } from "../../src/linux/mount/mount_lock.ts";
import { SystemError } from "../../src/linux/syscall/system_error.ts";
import { kernelTest } from "../requirements.ts";
import { inTemporaryDirectory } from "./_fixtures.ts";

kernelTest(
  "one process at a time holds the mount lock of a directory",
  async () => {
    await inTemporaryDirectory(async (directory) => {
      await Deno.mkdir(`${directory}/other`);
      const path = `${directory}/disk`;
      const start = performance.now();
      withMountLock(path, () => {
        const answer = withMountLock(`${directory}/other/disk`, () => 42);
        assertEquals(answer, 42);
        assert(performance.now() - start < 1000);
        const error = assertThrows(
          () => withMountLock(`${directory}/disk 2`, () => 43),
          SystemError,
        );
        assertEquals(error.code, "EBUSY");
        assertEquals(
          error.message,
          `Cannot mount on ${directory}/disk 2: another program keeps ${directory} locked (try again, or choose a mount point in another directory)`,
        );
      });
      assertEquals(withMountLock(path, () => 44), 44);
    });
  },
);

kernelTest("the mount lock is released if its function throws", async () => {
  await inTemporaryDirectory((directory) => {
    const fail = () => {
      throw new Error("no");
    };
    assertThrows(() => withMountLock(`${directory}/disk`, fail), Error, "no");
    assertEquals(withMountLock(`${directory}/disk`, () => 1), 1);
  });
});
