import { assertEquals, assertMatch } from "@std/assert";
import {
  assertSame,
  ExportProcess,
  imageIn,
  item,
  MIB,
  modeOf,
  must,
  qemuIo,
  run,
} from "./_checklist.ts";

item(3, "a read-only export shows the image", async (directory) => {
  const { image, mountpoint } = await imageIn(directory, 64 * MIB);
  await using process = await ExportProcess.start([image, mountpoint]);
  const shown = await must("stat", "-c", "%s,%a", mountpoint);
  assertEquals(shown, "67108864,400");
  await assertSame(mountpoint, image);
  assertEquals((await process.stop()).code, 0);
}, ["qemu-img"]);

item(4, "a read-only export keeps its mode", async (directory) => {
  const { image, mountpoint } = await imageIn(directory, MIB);
  await using process = await ExportProcess.start([image, mountpoint]);
  for (const mode of ["u+w", "u+x"]) {
    const { code, stderr } = await run("chmod", mode, mountpoint);
    assertEquals(code, 1);
    assertMatch(stderr, /Read-only file system/);
    assertEquals(await modeOf(mountpoint), "400");
  }
  assertEquals((await process.stop()).code, 0);
});

item(6, "cp copies an export", async (directory) => {
  // A length that is no multiple of anything: the last read is a short one.
  const { image, mountpoint } = await imageIn(directory, 8 * MIB + 777);
  const copy = `${directory}/copy`;
  await using process = await ExportProcess.start([image, mountpoint]);
  await must("cp", mountpoint, copy);
  await must("chmod", "0600", copy);
  await must("cmp", copy, image);
  assertEquals((await process.stop()).code, 0);
}, ["cmp"]);

item(9, "nothing writes to a read-only export", async (directory) => {
  const { image, mountpoint } = await imageIn(directory, 2 * MIB);
  const copy = `${directory}/copy`;
  await must("cp", image, copy);
  await using process = await ExportProcess.start([image, mountpoint]);
  const said = await qemuIo(mountpoint, "write -P 42 1M 64k");
  assertMatch(said, /Read-only file system/);
  assertEquals((await process.stop()).code, 0);
  await must("cmp", image, copy);
}, ["qemu-io", "cmp"]);
