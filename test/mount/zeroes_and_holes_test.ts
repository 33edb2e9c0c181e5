import { assert, assertEquals, assertMatch } from "@std/assert";
import {
  allocatedOf,
  checklist,
  ExportProcess,
  imageIn,
  MIB,
  mountTest,
  must,
  qemuIo,
} from "./_harness.ts";

mountTest(
  checklist(16, "zeroed ranges that may be unmapped read as zeroes"),
  async (directory) => {
    const { image, mountpoint } = await imageIn(directory, 64 * MIB);
    const before = await allocatedOf(image);
    await using process = await ExportProcess.start(["-w", image, mountpoint]);
    const wrote = await qemuIo(mountpoint, "write -zu 0 64M");
    assertMatch(wrote, /wrote 67108864\/67108864/);
    for (const path of [mountpoint, image]) {
      // -U: the export has locked the image against other writers.
      const shared = ["-f", "raw", "-r", "-U", "-c", "read -P 0 0 64M", path];
      const read = await must("qemu-io", ...shared);
      assertMatch(read, /read 67108864\/67108864/);
      assert(!/failed/i.test(read), read);
    }
    assert(await allocatedOf(image) < before / 2);
    assertEquals((await process.stop()).code, 0);
  },
  ["qemu-io"],
);

/** The ranges of data and holes that qemu-img finds in a file. */
async function mapOf(path: string): Promise<unknown> {
  const args = ["-f", "raw", "--output=json", "-U", path];
  return JSON.parse(await must("qemu-img", "map", ...args));
}

/** A range as qemu-img reports it. */
function range(start: number, length: number, data: boolean) {
  return { start, length, depth: 0, present: true, zero: !data, data };
}

mountTest(
  checklist(21, "holes end where QEMU expects it"),
  async (directory) => {
    const { image, mountpoint } = await imageIn(directory, MIB);
    await Deno.remove(image);
    await Deno.create(image).then((file) => file.close());
    await Deno.truncate(image, 65537);
    await using process = await ExportProcess.start(["-w", image, mountpoint]);
    const positioned = (ranges: ReturnType<typeof range>[]) =>
      ranges.map((each) => ({ ...each, offset: each.start }));
    // QEMU rounds the length up to sectors, and reports a hole beyond the end.
    assertEquals(
      await mapOf(mountpoint),
      positioned([range(0, 66048, false)]),
    );
    const last = [`of=${mountpoint}`, "bs=1", "seek=65536", "count=1"];
    await must("dd", "if=/dev/urandom", ...last, "conv=notrunc");
    assertEquals(
      await mapOf(mountpoint),
      positioned([
        range(0, 65536, false),
        range(65536, 1, true),
        range(65537, 511, false),
      ]),
    );
    assertEquals(await mapOf(mountpoint), await mapOf(image));
    assertEquals((await process.stop()).code, 0);
  },
  ["qemu-img"],
);
