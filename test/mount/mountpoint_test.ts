import { assert, assertEquals, assertMatch } from "@std/assert";
import {
  assertSame,
  eventually,
  exists,
  ExportProcess,
  imageIn,
  isMounted,
  item,
  MIB,
  must,
  run,
  runMain,
  sizeOf,
} from "./_checklist.ts";

item(1, "a missing mountpoint is an error", async (directory) => {
  const { image } = await imageIn(directory, MIB);
  const none = `${directory}/none`;
  const { code, stdout, stderr } = await runMain(["export", image, none]);
  assertEquals([code, stdout], [1, ""]);
  assertMatch(stderr, /none: No such file or directory/);
  assertEquals(await exists(none), false);
});

item(2, "a directory is no mountpoint", async (directory) => {
  const { image } = await imageIn(directory, MIB);
  const { code, stderr } = await runMain(["export", image, directory]);
  assertEquals(code, 1);
  assertMatch(stderr, /a directory is there .*has to be a regular file/);
  assertEquals(isMounted(directory), false);
});

item(5, "an image is mounted over itself", async (directory) => {
  const { image, mountpoint } = await imageIn(directory, 16 * MIB);
  const copy = `${directory}/copy`;
  await must("cp", image, copy);
  await using beside = await ExportProcess.start([image, mountpoint]);
  await using over = await ExportProcess.start([image, image]);
  assert(isMounted(image));
  await Promise.all([
    assertSame(mountpoint, image),
    assertSame(image, copy),
    assertSame(mountpoint, copy),
  ]);
  assertEquals((await over.stop()).code, 0);
  assertEquals((await beside.stop()).code, 0);
  await must("cmp", image, copy);
}, ["qemu-img", "cmp"]);

item(7, "a mountpoint is taken once", async (directory) => {
  const { image, mountpoint } = await imageIn(directory, MIB);
  await using process = await ExportProcess.start([image, mountpoint]);
  const { code, stderr } = await runMain(["export", image, mountpoint]);
  assertEquals(code, 1);
  assertMatch(stderr, /is already exported there/);
  await assertSame(mountpoint, image);
  assertEquals((await process.stop()).code, 0);
}, ["qemu-img"]);

item(8, "after the export the file below shows again", async (directory) => {
  const { image, mountpoint } = await imageIn(directory, 64 * MIB);
  await Deno.writeTextFile(mountpoint, "");
  const info = async () => {
    const args = ["-f", "raw", "--output=json", mountpoint];
    return JSON.parse(await must("qemu-img", "info", "-U", ...args));
  };
  await using process = await ExportProcess.start([image, mountpoint]);
  assertEquals((await info())["virtual-size"], 64 * MIB);
  assertEquals((await process.stop()).code, 0);
  assertEquals((await info())["virtual-size"], 0);
}, ["qemu-img"]);

item(
  15,
  "the end unmounts, is told, and keeps all bytes",
  async (directory) => {
    const { image, mountpoint } = await imageIn(directory, 8 * MIB);
    const copy = `${directory}/copy`;
    await using process = await ExportProcess.start(["-w", image, mountpoint]);
    const block = "if=/dev/urandom";
    const part = ["bs=1M", "seek=2", "count=3", "conv=notrunc"];
    await must("dd", block, `of=${mountpoint}`, ...part);
    await must("cp", mountpoint, copy);
    assertEquals((await process.stop()).code, 0);
    assertEquals(isMounted(mountpoint), false);
    assertEquals(process.events.at(-1)?.event, "closed");
    await must("cmp", copy, image);
  },
  ["cmp"],
);

item(23, "a qcow2 image lives on the export", async (directory) => {
  const { image, mountpoint } = await imageIn(directory, MIB);
  await Deno.writeTextFile(image, "");
  const args = ["-w", "--growable", image, mountpoint];
  await using process = await ExportProcess.start(args);
  await must("qemu-img", "create", "-q", "-f", "qcow2", mountpoint, "64M");
  const commands = ["write -P 7 1M 3M", "write -z 2M 64k", "read -P 7 3M 1M"];
  const io = commands.flatMap((command) => ["-c", command]);
  const said = await must("qemu-io", "-f", "qcow2", ...io, mountpoint);
  assert(!/failed/.test(said), said);
  await must("qemu-img", "check", "-q", "-f", "qcow2", mountpoint);
  const length = await sizeOf(mountpoint);
  // QEMU's suite kills the daemon and looks at df until the mount has gone.
  process.signal("SIGTERM");
  await eventually(async () => {
    const { stdout } = await run("df", "--output=fstype", mountpoint);
    return !/fuse/.test(stdout) && !isMounted(mountpoint);
  }, "the mount goes");
  assertEquals((await process.ended).code, 0);
  assertEquals((await Deno.stat(image)).size, length);
  await must("qemu-img", "check", "-q", "-f", "qcow2", image);
}, ["qemu-img", "qemu-io"]);
