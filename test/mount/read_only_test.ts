import { assert, assertEquals, assertMatch } from "@std/assert";
import {
  assertSame,
  checklist,
  ExportProcess,
  imageIn,
  MIB,
  modeOf,
  mountTest,
  must,
  qemuIo,
  run,
  shell,
} from "./_harness.ts";

/** No multiple of any block: the last read is a short one. */
const SIZE = 8 * MIB + 777;

mountTest("a read-only export", async (directory, t) => {
  const { image, mountpoint } = await imageIn(directory, SIZE);
  await must("touch", "-d", "2001-02-03 04:05:06.123456789", image);
  const facts = () =>
    must("sh", "-c", 'cksum "$1"; stat -c %.Y "$1"', "", image);
  const before = await facts();
  await using process = await ExportProcess.start([image, mountpoint]);

  await t.step(checklist(3, "it shows the image"), async () => {
    const shown = await must("stat", "-c", "%s,%a", mountpoint);
    assertEquals(shown, `${SIZE},400`);
    await assertSame(mountpoint, image);
  });
  await t.step(checklist(4, "it keeps its mode"), async () => {
    for (const mode of ["u+w", "u+x"]) {
      const { code, stderr } = await run("chmod", mode, mountpoint);
      assertEquals(code, 1);
      assertMatch(stderr, /Read-only file system/);
      assertEquals(await modeOf(mountpoint), "400");
    }
  });
  await t.step(checklist(6, "cp copies it"), async () => {
    const copy = `${directory}/copy`;
    await must("cp", mountpoint, copy);
    await must("chmod", "0600", copy);
    await must("cmp", copy, image);
  });
  await t.step(checklist(9, "qemu-io cannot write to it"), async () => {
    const said = await qemuIo(mountpoint, "write -P 42 1M 64k");
    assertMatch(said, /Read-only file system/);
  });
  await t.step("no other program can change it", async () => {
    for (
      const line of [
        ': > "$1"',
        'touch "$1"',
        'truncate -s 0 "$1"',
        'dd if=/dev/zero of="$1" bs=4k count=1 conv=notrunc',
        'chmod u+w "$1"',
        'rm "$1"',
      ]
    ) {
      assert((await shell(line, mountpoint)).code !== 0, line);
    }
  });
  assertEquals((await process.stop()).code, 0);
  assertEquals(await facts(), before, "bytes and time of the image");
}, ["qemu-img", "qemu-io", "cmp"]);
