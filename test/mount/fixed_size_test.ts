/**
 * Exports of fixed size: a program that truncates, appends or replaces gets an
 * error or what it asks for, and no other program is disturbed.
 *
 * @module
 */
import { assert, assertEquals, assertMatch } from "@std/assert";
import {
  eventually,
  ExportProcess,
  imageIn,
  MIB,
  mountTest,
  must,
  run,
  shell,
  sizeOf,
} from "./_harness.ts";
import { loopDevice } from "./_loop.ts";
import { Readers } from "./_readers.ts";
import { uringTest } from "./_uring.ts";

const SIZE = 4 * MIB;
const OLD = "tr '\\0' '\\252' < /dev/zero | head -c";

/** Commands that replace the contents of "$2" by those of "$1". */
const REPLACING = [
  'cp "$1" "$2"',
  'cp -f --reflink=auto "$1" "$2"',
  'cp --sparse=always "$1" "$2"',
  'cp --sparse=never "$1" "$2"',
  'cat "$1" > "$2"',
  'dd if="$1" of="$2" bs=64k status=none',
  'dd if="$1" of="$2" bs=64k conv=sparse status=none',
  'tar -C "${1%/*}" -cSf - "${1##*/}" | tar -xSO > "$2"',
  // As rsync --inplace does: write, then cut off the rest.
  `python3 -c 'import sys; f = open(sys.argv[2], "r+b"); f.write(open(sys.argv[1], "rb").read()); f.truncate()' "$1" "$2"`,
  'qemu-img convert -n -O raw -f raw "$1" "$2"',
  'python3 -c "import shutil, sys; shutil.copyfile(*sys.argv[1:])" "$1" "$2"',
];

/** Commands that write at the end of "$1"; they must end, and fail. */
const APPENDING = [
  'echo more >> "$1"',
  'dd if=/dev/zero of="$1" bs=512 count=1 oflag=append conv=notrunc',
  `python3 -c 'import sys; f = open(sys.argv[1], "ab"); f.write(b"x"); f.close()' "$1"`,
  `python3 -c 'import sys; open(sys.argv[1], "ab", 0).write(b"x")' "$1"`,
  `perl -e 'open F, ">>", shift or die; print F "x"; close F or exit 1' "$1"`,
  `awk 'BEGIN { print "x" >> ARGV[1]; if (close(ARGV[1]) != 0) exit 1 }' "$1"`,
];

/** Commands that would change the size of "$1". */
const RESIZING = [
  ': > "$1"',
  'truncate -s 0 "$1"',
  'truncate -s -1 "$1"',
  'truncate -s +1 "$1"',
  'fallocate -l 1M -o 4M "$1"',
  'fallocate -z -l 2M -o 3M "$1"',
  'fallocate -c -l 4096 "$1"',
  'fallocate -i -l 4096 "$1"',
  `python3 -c 'import sys; open(sys.argv[1], "r+b").truncate(7)' "$1"`,
  `perl -e 'truncate(shift, 7) or exit 1' "$1"`,
];

/** Commands that are as good on an export as on any file of its size. */
const KEEPING = [
  'truncate -s 4M "$1"',
  'fallocate -l 1M "$1"',
  'fallocate -n -l 8M "$1"',
  'fallocate -p -l 8M -o 1M "$1"',
  'fallocate -z -n -l 8M -o 2M "$1"',
  'fallocate -z -l 1M -o 3M "$1"',
  'shred -n 1 "$1"',
  'mkfs.ext4 -qF "$1"',
  'e2fsck -fn "$1"',
];

/** Fills an image with one byte. */
async function fill(path: string): Promise<void> {
  const line = `${OLD} ${SIZE} | dd of="$1" bs=64k conv=notrunc status=none`;
  assertEquals((await shell(line, path)).code, 0);
}

/** Makes a sparse file: data in the middle of holes. */
async function sparseFile(path: string, size: number): Promise<void> {
  await must("truncate", "-s", String(size), path);
  const at = ["bs=64k", "seek=16", "count=1", "conv=notrunc"];
  await must("dd", "if=/dev/urandom", `of=${path}`, ...at);
}

/** Files to replace the contents by, and how: as long as the image, shorter. */
async function replacementsIn(
  directory: string,
): Promise<[file: string, lines: readonly string[]][]> {
  const [same, shorter] = [`${directory}/same`, `${directory}/shorter`];
  await sparseFile(same, SIZE);
  await sparseFile(shorter, SIZE / 2);
  return [[same, REPLACING], [shorter, REPLACING.slice(-1)]];
}

/** Whether both begin with the same bytes and the target goes on with zeroes. */
async function isReplaced(source: string, target: string): Promise<boolean> {
  const length = await sizeOf(source);
  const same = await run("cmp", "-n", String(length), source, target);
  const rest = ["-n", String(SIZE - length), "-i", `${length}:0`];
  const zeroes = await run("cmp", ...rest, target, "/dev/zero");
  return same.code === 0 && zeroes.code === 0;
}

mountTest(
  "an export of fixed size refuses to be truncated and to grow",
  async (directory, t) => {
    const { image, mountpoint } = await imageIn(directory, SIZE);
    const replacements = await replacementsIn(directory);
    await using process = await ExportProcess.start(["-w", image, mountpoint]);
    await t.step("every command that would resize it fails", async () => {
      await fill(mountpoint);
      const before = await Deno.readFile(image);
      for (const line of RESIZING) {
        const { code, stderr } = await shell(line, mountpoint);
        assert(code !== 0, line);
        assertMatch(stderr, /not permitted|not supported|^$/, line);
        assertEquals(await Deno.readFile(image), before, line);
      }
      assertEquals(await sizeOf(mountpoint), SIZE);
    });
    await t.step("dd seek= says that it cannot cut, and writes", async () => {
      const { stderr } = await shell(
        'printf x | dd of="$1" bs=512 seek=1 status=none',
        mountpoint,
      );
      assertMatch(stderr, /failed to truncate to 512 bytes/);
      const { length, 511: before, 512: written } = await Deno.readFile(image);
      assertEquals([length, before, written], [SIZE, 170, 0x78]);
    });
    await t.step("appending ends with an error", async () => {
      for (const line of APPENDING) {
        const { code } = await shell(line, mountpoint);
        assert(code !== 0 && code < 124, `${line} ended with ${code}`);
      }
      const append = await shell(APPENDING[1]!, mountpoint);
      assertMatch(append.stderr, /No space left on device/);
      assertEquals((await Deno.stat(image)).size, SIZE);
    });
    await t.step("no command leaves old bytes and says success", async () => {
      for (const [source, lines] of replacements) {
        for (const line of lines) {
          await fill(mountpoint);
          const { code } = await shell(line, source, mountpoint);
          if (code === 0) {
            await must(
              "cmp",
              "-n",
              String(await sizeOf(source)),
              source,
              mountpoint,
            );
          }
          assertEquals((await Deno.stat(image)).size, SIZE, line);
        }
      }
      const replace = ["bs=1M", "conv=notrunc"];
      await must(
        "dd",
        `if=${replacements[0]![0]}`,
        `of=${mountpoint}`,
        ...replace,
      );
      await must("cmp", replacements[0]![0], image);
    });
    await t.step("what keeps the size does as on any file", async () => {
      for (const line of KEEPING) {
        const { code, stderr } = await shell(line, mountpoint);
        assertEquals(code, 0, `${line}: ${stderr}`);
      }
      const grown = await run("resize2fs", mountpoint, "8M");
      assert(grown.code !== 0, "resize2fs to twice the size");
      assertEquals((await Deno.stat(image)).size, SIZE);
      await must("cmp", image, mountpoint);
    });
    assertEquals((await process.stop()).code, 0);
  },
  ["cmp", "fallocate", "qemu-img", "python3", "perl", "mkfs.ext4"],
);

mountTest(
  "an export of fixed size can be replaced with --truncate=zero",
  async (directory, t) => {
    const { image, mountpoint } = await imageIn(directory, SIZE);
    const replacements = await replacementsIn(directory);
    const rules = ["-w", "--truncate=zero"];
    await using process = await ExportProcess.start([
      ...rules,
      image,
      mountpoint,
    ]);
    await t.step("by every command that truncates", async () => {
      for (const [source, lines] of replacements) {
        for (const line of lines) {
          await fill(mountpoint);
          const { code, stderr } = await shell(line, source, mountpoint);
          assertEquals(code, 0, `${line}: ${stderr}`);
          if (!line.startsWith("qemu-img")) {
            assert(await isReplaced(source, mountpoint), line);
          }
          assertEquals((await Deno.stat(image)).size, SIZE, line);
        }
      }
    });
    await t.step("dd seek= discards what follows", async () => {
      await fill(mountpoint);
      await must("dd", `of=${mountpoint}`, "if=/dev/null", "bs=4k", "seek=3");
      await must(
        "cmp",
        "-n",
        String(SIZE - 12288),
        "-i",
        "12288:0",
        mountpoint,
        "/dev/zero",
      );
      const kept = await Deno.readFile(image);
      assertEquals([kept.length, kept.lastIndexOf(0xaa)], [SIZE, 12287]);
    });
    await t.step("programs that have mapped it see the zeroes", async () => {
      await fill(mountpoint);
      await using readers = await Readers.open(mountpoint, SIZE);
      assertEquals(await readers.read("map", MIB), "1 170");
      assertEquals((await shell(': > "$1"', mountpoint)).code, 0);
      assertEquals(await readers.read("aio", MIB), "4096 0");
      await eventually(
        async () => await readers.read("map", MIB) === "1 0",
        "the zeroes in the mapping",
      );
    });
    await t.step("it does not become larger", async () => {
      for (const line of ['truncate -s +1 "$1"', ...APPENDING]) {
        const { code } = await shell(line, mountpoint);
        assert(code !== 0 && code < 124, `${line} ended with ${code}`);
      }
      assertEquals((await Deno.stat(image)).size, SIZE);
    });
    assertEquals((await process.stop()).code, 0);
  },
  ["cmp", "qemu-img", "python3", "perl"],
);

/** Truncates a file beside libaio, a mapping and a loop device. */
async function truncateBesideReaders(
  directory: string,
  transport: string,
  rule: "refuse" | "zero",
): Promise<void> {
  const { image, mountpoint } = await imageIn(directory, SIZE);
  await using _ = await ExportProcess.start([
    "-wq2",
    `--transport=${transport}`,
    `--truncate=${rule}`,
    image,
    mountpoint,
  ]);
  await fill(mountpoint);
  await using readers = await Readers.open(mountpoint, SIZE);
  await using loop = await loopDevice("--direct-io=on", mountpoint);
  const [succeeds, byte] = rule === "zero" ? [true, 0] : [false, 170];
  for (let i = 0; i < 3; i++) {
    const { code } = await shell(': > "$1"', mountpoint);
    assertEquals(code === 0, succeeds);
    for (const way of ["aio", "pread"] as const) {
      assertEquals(await readers.read(way, 2 * MIB), `4096 ${byte}`, way);
    }
    assertMatch(await readers.read("map", 3 * MIB), /^1 (0|170)$/);
    const far = ["bs=4k", "count=4", "status=none"];
    const from = ["skip=1000", "iflag=direct"];
    await must("dd", `if=${loop.path}`, "of=/dev/null", ...far, ...from);
    const to = ["seek=1000", "oflag=direct", "conv=fsync"];
    await must("dd", "if=/dev/zero", `of=${loop.path}`, ...far, ...to);
  }
}

for (const rule of ["refuse", "zero"] as const) {
  const name = `truncating disturbs no other program with --truncate=${rule}`;
  const programs = ["losetup", "python3"];
  mountTest(
    name,
    (directory) => truncateBesideReaders(directory, "device", rule),
    programs,
  );
  uringTest(
    `${name}, over io_uring`,
    (directory) => truncateBesideReaders(directory, "uring", rule),
    programs,
  );
}
