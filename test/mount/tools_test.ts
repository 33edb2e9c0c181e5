/**
 * What the tools of others make of an exported image.
 *
 * @module
 */
import { assert, assertEquals, assertMatch } from "@std/assert";
import { kernelTest } from "../requirements.ts";
import {
  ExportProcess,
  imageIn,
  inDirectory,
  must,
  run,
  runMain,
} from "./_harness.ts";

const MIB = 1 << 20;

kernelTest(
  "fio verifies random I/O of four jobs",
  () =>
    inDirectory(async (directory) => {
      const { image, mountpoint } = await imageIn(directory, 64 * MIB);
      await using process = await ExportProcess.start([
        "-wq4",
        image,
        mountpoint,
      ]);
      const { code, stdout, stderr } = await run(
        "fio",
        "--name=verify",
        `--filename=${mountpoint}`,
        "--rw=randrw",
        "--verify=crc32c",
        "--verify_fatal=1",
        "--verify_state_save=0",
        "--direct=1",
        "--ioengine=libaio",
        "--iodepth=16",
        "--numjobs=4",
        // A part of the file for each job: one must not overwrite what another
        // is about to verify.
        "--size=16M",
        "--offset_increment=16M",
        "--bsrange=4k-128k",
        "--group_reporting",
        "--output-format=terse",
      );
      assertEquals(code, 0, stdout + stderr);
      assertEquals((await process.stop()).code, 0);
      for (const { reads, writes } of process.totals) {
        assert(reads > 0 && writes > 0);
      }
      assertEquals(process.totals.map(({ errors }) => errors), [0, 0, 0, 0]);
    }),
  ["fio"],
);

kernelTest(
  "qemu-io reads the patterns that it wrote",
  () =>
    inDirectory(async (directory) => {
      const { image, mountpoint } = await imageIn(directory, 16 * MIB);
      await using process = await ExportProcess.start([
        "-wq4",
        image,
        mountpoint,
      ]);
      const commands = [
        "write -P 0x5a 4096 65536",
        "write -P 0xa5 8M 3M",
        "write -z 1M 64k",
        "discard 2M 1M",
        "flush",
        "read -P 0x5a 4096 65536",
        "read -P 0xa5 8M 3M",
        "read -P 0 1M 64k",
        "read -P 0 2M 1M",
      ];
      const output = await must(
        "qemu-io",
        "-f",
        "raw",
        "-t",
        "none",
        "-d",
        "unmap",
        ...commands.flatMap((command) => ["-c", command]),
        mountpoint,
      );
      assert(!/failed/i.test(output), output);
      assertEquals((await process.stop()).code, 0);
      const bytes = await Deno.readFile(image);
      assert(bytes.subarray(8 * MIB, 11 * MIB).every((byte) => byte === 0xa5));
    }),
  ["qemu-io"],
);

kernelTest(
  "a file system on a loop device over the mount stays clean",
  () =>
    inDirectory(async (directory) => {
      const { image, mountpoint } = await imageIn(directory, 64 * MIB);
      const place = `${directory}/place`;
      await Deno.mkdir(place);
      await using process = await ExportProcess.start([
        "-wq4",
        image,
        mountpoint,
      ]);
      await must("mkfs.ext4", "-q", "-F", mountpoint);
      const loop = await must("losetup", "--find", "--show", mountpoint);
      try {
        await must("mount", loop, place);
        try {
          await must("cp", "-a", sources(), `${place}/src`);
          await must("sync", "-f", place);
          await must("diff", "-r", sources(), `${place}/src`);
        } finally {
          await must("umount", place);
        }
        await must("e2fsck", "-f", "-n", loop);
      } finally {
        await must("losetup", "--detach", loop);
      }
      await must("e2fsck", "-f", "-n", mountpoint);
      assertEquals((await process.stop()).code, 0);
      await must("e2fsck", "-f", "-n", image);
    }),
  ["mkfs.ext4", "e2fsck", "losetup", "mount", "diff"],
);

/** A directory tree to copy: the sources of this repository. */
function sources(): string {
  return new URL("../../src", import.meta.url).pathname;
}

kernelTest(
  "a loop device over the mount does not delay the end",
  () =>
    inDirectory(async (directory) => {
      const { image, mountpoint } = await imageIn(directory, 16 * MIB);
      await using process = await ExportProcess.start([
        "-w",
        image,
        mountpoint,
      ]);
      const loop = await must("losetup", "--find", "--show", mountpoint);
      try {
        const start = Date.now();
        const { code, stderr } = await process.stop();
        assertEquals(code, 0, stderr);
        assert(Date.now() - start < 5000);
      } finally {
        await must("losetup", "--detach", loop);
      }
    }),
  ["losetup"],
);

kernelTest(
  "a partition of a block device is exported by --offset and --size",
  () =>
    inDirectory(async (directory) => {
      const { image, mountpoint } = await imageIn(directory, 16 * MIB);
      const loop = await must("losetup", "--find", "--show", image);
      try {
        const growable = await runMain([
          "export",
          "-w",
          "--growable",
          loop,
          mountpoint,
        ]);
        assertEquals(growable.code, 1);
        assertMatch(growable.stderr, /a block device cannot become larger/);
        await using process = await ExportProcess.start([
          "--offset=1M",
          "--size=2M",
          loop,
          mountpoint,
        ]);
        assertEquals(process.ready.size, 2 * MIB);
        const same = ["-i", "1048576:0", "-n", "2097152", image, mountpoint];
        await must("cmp", ...same);
        assertEquals((await process.stop()).code, 0);
        await using whole = await ExportProcess.start([loop, mountpoint]);
        assertEquals(whole.ready.size, 16 * MIB);
        await must("cmp", image, mountpoint);
        assertEquals((await whole.stop()).code, 0);
      } finally {
        await must("losetup", "--detach", loop);
      }
    }),
  ["losetup", "cmp"],
);
