import { assert, assertEquals, assertMatch } from "@std/assert";
import { ERRNO } from "../../src/base/errno.ts";
import { OPCODES } from "../../src/protocol/opcodes.ts";
import { SilentStorage } from "./_silent_storage.ts";
import { startFaulty } from "./_faulty_process.ts";
import {
  checklist,
  ExportProcess,
  imageIn,
  isMounted,
  MIB,
  mountTest,
  qemuIo,
  run,
  runMain,
} from "./_harness.ts";

const LOCKED = /^mqfuse: Cannot lock .*stop it, or use --no-lock/;

mountTest(
  "two exports of one image may read it, only a single one may write",
  async (directory) => {
    const { image, mountpoint } = await imageIn(directory, MIB);
    const other = `${directory}/other.img`;
    await Deno.writeTextFile(other, "");
    const assertLocked = async (...options: string[]) => {
      const args = ["export", ...options, image, other];
      const { code, stderr } = await runMain(args);
      assertEquals(code, 1);
      assertMatch(stderr, LOCKED);
    };
    {
      await using _ = await ExportProcess.start([image, mountpoint]);
      await using second = await ExportProcess.start([image, other]);
      assertEquals((await second.stop()).code, 0);
      await assertLocked("-w");
    }
    await using _ = await ExportProcess.start(["-w", image, mountpoint]);
    await Promise.all([assertLocked(), assertLocked("-w")]);
    const args = ["--no-lock", image, other];
    await using unlocked = await ExportProcess.start(args);
    assertEquals((await unlocked.stop()).code, 0);
  },
);

mountTest(
  "QEMU cannot write to an image that is exported",
  async (directory) => {
    const { image, mountpoint } = await imageIn(directory, MIB);
    const write = ["-f", "raw", "-c", "write 0 4k", image];
    {
      await using _ = await ExportProcess.start(["-w", image, mountpoint]);
      assertMatch((await run("qemu-io", ...write)).stderr, /lock/);
    }
    assertEquals((await run("qemu-io", ...write)).code, 0);
  },
  ["qemu-io"],
);

mountTest(
  checklist(20, "an image that fails gives EIO, and the export continues"),
  async (directory) => {
    const { mountpoint } = await imageIn(directory, MIB);
    await using process = await startFaulty("failing", mountpoint, 4);
    const said = await qemuIo(mountpoint, "write 0 8M");
    assertMatch(said, /write failed: Input\/output error/);
    const read = await run("dd", `if=${mountpoint}`, "of=/dev/null", "count=1");
    assertMatch(read.stderr, /error reading .*: Input\/output error/);
    assert(isMounted(mountpoint));
    assertEquals((await process.stop()).code, 0);
    const errors = process.totals.reduce((sum, { errors }) => sum + errors, 0);
    assert(errors >= 2);
  },
  ["qemu-io"],
);

mountTest(
  "direct I/O that the image's file system refuses is told before the mount",
  async (directory) => {
    const { image, mountpoint } = await imageIn(directory, MIB);
    await using storage = await SilentStorage.mount(image, [
      OPCODES.READ.opcode,
    ]);
    // open(2) with O_DIRECT succeeds.
    storage.fail(ERRNO.EINVAL);
    const args = ["--direct", "--no-lock", image, mountpoint];
    const { code, stderr } = await runMain(["export", ...args]);
    assertEquals(code, 1);
    assertEquals(
      stderr,
      `mqfuse: Cannot use direct I/O on ${image}: its file system has none; leave direct and loop-safe off\n`,
    );
    assertEquals(isMounted(mountpoint), false);
  },
);
