/** Overlays of exports, in memory and in files. */
import { assert, assertEquals, assertMatch } from "@std/assert";
import {
  assertSame,
  ExportProcess,
  imageIn,
  MIB,
  mountTest,
  must,
  runMain,
  shell,
} from "./_harness.ts";
import { exists } from "./_clients.ts";

const PROGRAMS = ["qemu-img", "cmp", "dd", "mkfs.ext4", "e2fsck"];

/** A disk, and a copy of it as it was. */
async function diskIn(directory: string) {
  const { image, mountpoint } = await imageIn(directory, 32 * MIB);
  const before = `${directory}/before.img`;
  await must("cp", image, before);
  return { image, mountpoint, before, over: `${directory}/over.qcow2` };
}

/** Makes a file system on the export, by four queues, and checks it. */
async function change(mountpoint: string): Promise<void> {
  await must("mkfs.ext4", "-q", "-F", mountpoint);
  await must("e2fsck", "-fn", mountpoint);
}

mountTest(
  "an overlay in memory leaves the image as it is",
  async (directory) => {
    const { image, mountpoint, before } = await diskIn(directory);
    const args = ["-q4", "--overlay=memory", image, mountpoint];
    await using process = await ExportProcess.start(args);
    await change(mountpoint);
    await assertSame(image, before);
    assertEquals((await process.stop()).code, 0);
    await assertSame(image, before);
  },
  PROGRAMS,
);

mountTest(
  "an overlay in memory that is full fails writes",
  async (directory) => {
    const { image, mountpoint, before } = await diskIn(directory);
    const args = ["--overlay=memory:4M", image, mountpoint];
    await using process = await ExportProcess.start(args);
    const write =
      `dd if=/dev/zero of="$1" bs=1M count=16 conv=notrunc oflag=direct`;
    const { code, stderr } = await shell(write, mountpoint);
    assertEquals(code, 1);
    assertMatch(stderr, /No space left on device/);
    assertEquals((await process.stop()).code, 0);
    await assertSame(image, before);
  },
  PROGRAMS,
);

mountTest("an overlay in a file is gone at the end", async (directory) => {
  const { image, mountpoint, before, over } = await diskIn(directory);
  const args = ["-q4", `--overlay=${over}`, image, mountpoint];
  await using process = await ExportProcess.start(args);
  await change(mountpoint);
  assertEquals((await process.stop()).code, 0);
  assert(!await exists(over));
  await assertSame(image, before);
}, PROGRAMS);

mountTest(
  "a killed export leaves no overlay that is not kept",
  async (directory) => {
    const { image, mountpoint, over } = await diskIn(directory);
    const args = [`--overlay=${over}`, image, mountpoint];
    await using process = await ExportProcess.start(args);
    await process.stop("SIGKILL");
    assert(!await exists(over));
  },
  PROGRAMS,
);

mountTest(
  "a kept overlay goes on, and is an image by itself",
  async (directory) => {
    const { image, mountpoint, before, over } = await diskIn(directory);
    const args = [
      "-q4",
      `--overlay=${over}`,
      "--overlay-keep",
      image,
      mountpoint,
    ];
    const after = `${directory}/after.img`;
    {
      await using process = await ExportProcess.start(args);
      await change(mountpoint);
      await must("cp", mountpoint, after);
      assertEquals((await process.stop()).code, 0);
    }
    await must("qemu-img", "check", over);
    await must("qemu-img", "compare", "-F", "raw", "-f", "qcow2", over, after);
    {
      await using process = await ExportProcess.start(args);
      await assertSame(mountpoint, after);
      assertEquals((await process.stop()).code, 0);
    }
    await assertSame(image, before);
  },
  PROGRAMS,
);

mountTest("what an overlay cannot be is refused", async (directory) => {
  const { image, mountpoint, over } = await diskIn(directory);
  for (
    const [args, why] of [
      [["--overlay-keep"], /none is used; give overlay a path/],
      [["--overlay=memory", "--overlay-keep"], /an overlay in memory/],
      [["--overlay="], /without a value/],
      [["--overlay=memory:x"], /x/],
      [[`--overlay=${image}`], /a file is there already/],
      [[`--overlay=${over}`, "--overlay-keep", "--snapshot=a"], /snapshot/],
    ] as const
  ) {
    const all = ["export", ...args, image, mountpoint];
    const { code, stderr } = await runMain(all);
    assert(code === 1 || code === 2, `${code}`);
    assertMatch(stderr, why);
    assertEquals(stderr.trim().split("\n").length, 1, stderr);
  }
  assert(!await exists(over));
}, PROGRAMS);
