import { assert, assertEquals, assertMatch } from "@std/assert";
import {
  checklist,
  eventually,
  ExportProcess,
  imageIn,
  isMounted,
  MIB,
  mountTest,
  must,
  run,
  sizeOf,
} from "./_harness.ts";

mountTest("fio verifies random I/O of four jobs", async (directory) => {
  const { image, mountpoint } = await imageIn(directory, 64 * MIB);
  await using process = await ExportProcess.start(["-wq4", image, mountpoint]);
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
  for (const { reads, writes, errors } of process.totals) {
    assert(reads > 0 && writes > 0);
    assertEquals(errors, 0);
  }
}, ["fio"]);

mountTest("qemu-io and mmap write to an export", async (directory, t) => {
  const { image, mountpoint } = await imageIn(directory, 16 * MIB);
  await using process = await ExportProcess.start(["-wq4", image, mountpoint]);
  await t.step("qemu-io reads the patterns that it wrote", async () => {
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
    ].flatMap((command) => ["-c", command]);
    const how = ["-f", "raw", "-t", "none", "-d", "unmap"];
    const output = await must("qemu-io", ...how, ...commands, mountpoint);
    assert(!/failed/i.test(output), output);
    const bytes = await Deno.readFile(image);
    assert(bytes.subarray(8 * MIB, 11 * MIB).every((byte) => byte === 0xa5));
  });
  await t.step(checklist(26, "mmap works, private and shared"), async () => {
    const io = (...commands: string[]) =>
      must("xfs_io", ...commands.flatMap((one) => ["-c", one]), mountpoint);
    await io("mmap -rw 0 65536", "mwrite -S 0x5a 4096 8192", "msync -s");
    const bytes = await Deno.readFile(image);
    assert(bytes.subarray(4096, 12288).every((byte) => byte === 0x5a));
    const seen = await io("mmap -r 0 65536", "mread -v 4096 8");
    assertMatch(seen, /5a 5a 5a 5a 5a 5a 5a 5a/);
    const fio = ["--ioengine=mmap", "--rw=randrw", "--verify=crc32c"];
    const name = ["--name=mmap", "--verify_state_save=0", "--size=1M"];
    const file = [`--filename=${mountpoint}`, "--bs=4k"];
    await must("fio", ...name, ...file, ...fio);
  });
  assertEquals((await process.stop()).code, 0);
}, ["fio", "qemu-io", "xfs_io"]);

mountTest(
  checklist(23, "a qcow2 image can be stored on the export"),
  async (directory) => {
    const { image, mountpoint } = await imageIn(directory, 0);
    const args = ["-w", "--growable", image, mountpoint];
    await using process = await ExportProcess.start(args);
    await must("qemu-img", "create", "-q", "-f", "qcow2", mountpoint, "64M");
    const io = ["write -P 7 1M 3M", "write -z 2M 64k", "read -P 7 3M 1M"]
      .flatMap((command) => ["-c", command]);
    const said = await must("qemu-io", "-f", "qcow2", ...io, mountpoint);
    assert(!/failed/.test(said), said);
    await must("qemu-img", "check", "-q", "-f", "qcow2", mountpoint);
    const length = await sizeOf(mountpoint);
    // QEMU's tests kill the daemon and read df until the mount is gone.
    process.signal("SIGTERM");
    await eventually(async () => {
      const { stdout } = await run("df", "--output=fstype", mountpoint);
      return !/fuse/.test(stdout) && !isMounted(mountpoint);
    }, "the mount is gone");
    assertEquals((await process.ended).code, 0);
    assertEquals((await Deno.stat(image)).size, length);
    await must("qemu-img", "check", "-q", "-f", "qcow2", image);
  },
  ["qemu-img", "qemu-io"],
);
