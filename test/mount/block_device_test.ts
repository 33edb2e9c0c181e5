/**
 * Loop devices over a mount, and block devices as images.
 *
 * @module
 */
import { assertEquals, assertMatch } from "@std/assert";
import {
  checklist,
  ExportProcess,
  imageIn,
  MIB,
  mountTest,
  must,
  runMain,
} from "./_harness.ts";
import { loopDevice } from "./_loop.ts";

/** A directory tree to copy: the sources of this repository. */
const SOURCES = new URL("../../src", import.meta.url).pathname;

mountTest(
  "a file system on a loop device over the mount stays clean",
  async (directory) => {
    const { image, mountpoint } = await imageIn(directory, 64 * MIB);
    const root = `${directory}/root`;
    await Deno.mkdir(root);
    const args = ["-wq4", image, mountpoint];
    await using process = await ExportProcess.start(args);
    await must("mkfs.ext4", "-q", "-F", mountpoint);
    {
      await using loop = await loopDevice(mountpoint);
      await must("mount", loop.path, root);
      try {
        await must("cp", "-a", SOURCES, `${root}/src`);
        await must("sync", "-f", root);
        await must("diff", "-r", SOURCES, `${root}/src`);
      } finally {
        await must("umount", root);
      }
      await must("e2fsck", "-f", "-n", loop.path);
    }
    await must("e2fsck", "-f", "-n", mountpoint);
    assertEquals((await process.stop()).code, 0);
    await must("e2fsck", "-f", "-n", image);
  },
  ["mkfs.ext4", "e2fsck", "losetup", "mount", "diff"],
);

mountTest(
  checklist(26, "a loop device over an export reaches a partition"),
  async (directory) => {
    const { image, mountpoint } = await imageIn(directory, 8 * MIB);
    const args = ["-wq4", image, mountpoint];
    await using process = await ExportProcess.start(args);
    const part = [`--offset=${2 * MIB}`, `--sizelimit=${MIB}`];
    {
      await using loop = await loopDevice(...part, mountpoint);
      const same = ["-i", `0:${2 * MIB}`, "-n", `${MIB}`, loop.path, image];
      await must("cmp", ...same);
      const to = [`of=${loop.path}`, "bs=64k", "count=16"];
      await must("dd", "if=/dev/urandom", ...to);
      await must("sync", loop.path);
      await must("cmp", ...same);
    }
    assertEquals((await process.stop()).code, 0);
  },
  ["losetup", "cmp"],
);

mountTest(
  "a loop device over the mount delays the end of an export, and is named",
  async (directory) => {
    const { image, mountpoint } = await imageIn(directory, 16 * MIB);
    const args = ["-w", "--stop-timeout=1", image, mountpoint];
    await using process = await ExportProcess.start(args);
    await using loop = await loopDevice(mountpoint);
    const { code, stderr } = await process.stop();
    assertEquals(code, 1, stderr);
    assertMatch(stderr, new RegExp(`while it was in use by ${loop.path}`));
  },
  ["losetup"],
);

mountTest(
  "a block device and a partition of it are exported",
  async (directory) => {
    const { image, mountpoint } = await imageIn(directory, 16 * MIB);
    await using loop = await loopDevice(image);
    const growable = ["-w", "--growable", loop.path, mountpoint];
    const refused = await runMain(["export", ...growable]);
    assertEquals(refused.code, 1);
    assertMatch(refused.stderr, /a block device cannot grow/);
    {
      const part = ["--offset=1M", "--size=2M", loop.path, mountpoint];
      await using process = await ExportProcess.start(part);
      assertEquals(process.ready.size, 2 * MIB);
      const same = ["-i", "1048576:0", "-n", "2097152", image, mountpoint];
      await must("cmp", ...same);
      assertEquals((await process.stop()).code, 0);
    }
    await using whole = await ExportProcess.start([loop.path, mountpoint]);
    assertEquals(whole.ready.size, 16 * MIB);
    await must("cmp", image, mountpoint);
    assertEquals((await whole.stop()).code, 0);
  },
  ["losetup", "cmp"],
);
