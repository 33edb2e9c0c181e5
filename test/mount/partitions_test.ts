/** Partitions and split images as plain files. */
import { assertEquals, assertMatch } from "@std/assert";
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

mountTest(
  "a partition of a split image is exported, and written",
  async (directory) => {
    const { image, mountpoint } = await imageIn(directory, 16 * MIB);
    const script = `
      printf 'label: gpt\\nsize=2MiB\\nsize=7MiB,name=data\\n' | sfdisk -q "$1"
      split -b 3000000 -d -a 3 "$1" "$1."
      dd if="$1" bs=1M skip=3 count=7 of="$2/wanted.img" status=none
      dd if=/dev/urandom of="$2/new.img" bs=1M count=7 status=none`;
    assertEquals((await shell(script, image, directory)).stderr, "");
    const source = `parts:${image}.000`;
    {
      const args = ["-w", "--partition=data", source, mountpoint];
      await using process = await ExportProcess.start(args);
      await assertSame(mountpoint, `${directory}/wanted.img`);
      const copy =
        `dd if="$1" of="$2" bs=1M conv=notrunc status=none && cmp "$1" "$2"`;
      const done = await shell(copy, `${directory}/new.img`, mountpoint);
      assertEquals([done.code, done.stderr], [0, ""]);
      assertEquals((await process.stop()).code, 0);
    }
    // Around the table, and at the partition's place.
    const compare = `cat "$1".??? | cmp -n 3145728 - "$1" &&
      cat "$1".??? | cmp -i 3145728:0 -n 7340032 - "$2"`;
    const same = await shell(compare, image, `${directory}/new.img`);
    assertEquals([same.code, same.stderr + same.stdout], [0, ""]);
    await must("rm", `${image}.003`);
    const { code, stderr } = await runMain(["export", source, mountpoint]);
    assertEquals(code, 1);
    assertMatch(stderr, /the piece .*\.003 is missing, yet .*\.004 is there/);
  },
  ["sfdisk", "split", "cmp"],
);

mountTest(
  "the backup of a damaged GPT is used, and said",
  async (directory) => {
    const { image, mountpoint } = await imageIn(directory, 8 * MIB);
    const script = `
      printf 'label: gpt\\nsize=2MiB\\nsize=3MiB\\n' | sfdisk -q "$1"
      dd if="$1" bs=1M skip=3 count=3 of="$2/wanted.img" status=none
      printf x | dd of="$1" bs=1 seek=600 conv=notrunc status=none
      printf x | dd of="$1" bs=1 seek=1100 conv=notrunc status=none`;
    await shell(script, image, directory);
    const info = await runMain(["info", image]);
    assertMatch(info.stdout, /Partitions +GPT, sectors of 512 bytes\n/);
    assertMatch(info.stdout, /\n {2}2 +3 MiB from byte 3145728, Linux file/);
    const args = ["--partition=2", image, mountpoint];
    await using process = await ExportProcess.start(args);
    await assertSame(mountpoint, `${directory}/wanted.img`);
    const { code, stderr } = await process.stop();
    assertEquals(code, 0);
    assertMatch(
      stderr,
      /the primary GPT is damaged: .*\n.*backup copy is used/,
    );
  },
  ["sfdisk"],
);

mountTest(
  "the partitions of a disk are files of a directory",
  async (directory) => {
    const { image } = await imageIn(directory, 8 * MIB);
    const mnt = `${directory}/parts`;
    await Deno.mkdir(mnt);
    const script =
      `printf 'label: gpt\\nsize=2MiB,name=boot\\nsize=3MiB,name="a/b"\\n' |
        sfdisk -q "$1"`;
    await shell(script, image);
    await using process = await ExportProcess.start([
      "-w",
      "--partitions",
      image,
      mnt,
    ]);
    const use = `set -e
      cd "$2"
      test "$(ls | xargs)" = "1 2 boot"
      test "$(readlink boot)" = 1
      test "$(stat -c %s 1 2 | xargs)" = "2097152 3145728"
      cmp -i 0:3145728 -n 3145728 2 "$1"
      head -c 100000 /dev/urandom > "$3"
      dd if="$3" of=boot bs=1000 seek=7 conv=notrunc,fsync status=none
      cmp -i 7000:0 -n 100000 boot "$3"
      cmp -i 1055576:0 -n 100000 "$1" "$3"
      ! dd if="$3" of=2 bs=1000 seek=3145 conv=notrunc 2>/dev/null`;
    const { code, stderr } = await shell(use, image, mnt, `${directory}/new`);
    assertEquals([code, stderr], [0, ""]);
    assertEquals((await process.stop()).code, 0);
    const args = ["export", "--partitions", "--offset=1M", image, mnt];
    const refused = await runMain(args);
    assertEquals(refused.code, 2);
    assertMatch(refused.stderr, /Cannot use --offset with --partitions/);
  },
  ["sfdisk", "cmp"],
);
