/** VHD and VHDX images that QEMU's tools made, of every kind, byte for byte. */
import { assertEquals } from "@std/assert";
import { type Random, withSeeds } from "../../_random.ts";
import { testIf } from "../../requirements.ts";
import { assertSameBytes, inDirectory, MISSING, qemu } from "../qcow2/_qemu.ts";

/** Formats of QEMU, ours, options of `qemu-img create -o`, and a size. */
const KINDS: readonly (readonly [string, string, string, number])[] = [
  ["vpc", "vhd", "subformat=fixed", 3_000_320],
  ["vpc", "vhd", "subformat=fixed,force_size=on", 3_000_320],
  ["vpc", "vhd", "subformat=dynamic", 9_000_960],
  ["vpc", "vhd", "subformat=dynamic,force_size=on", 9_000_960],
  ["vhdx", "vhdx", "subformat=dynamic", 9_000_960],
  ["vhdx", "vhdx", "subformat=dynamic,block_size=1M", 9_000_960],
  ["vhdx", "vhdx", "subformat=dynamic,block_size=32M", 70_000_640],
  ["vhdx", "vhdx", "subformat=fixed,block_size=2M", 5_000_192],
  ["vhdx", "vhdx", "subformat=dynamic,block_state_zero=off", 9_000_960],
];

/** Writes that bring blocks and sectors into every state, at random. */
function commandsOf(random: Random, size: number): string[] {
  return Array.from({ length: 25 }, () => {
    const at = random.below(size / 512) * 512;
    const most = Math.min(size - at, random.pick([512, 8192, 300_032]));
    const length = Math.max(512, Math.floor(most / 512) * 512);
    return ["-c", `write -P ${random.below(256)} ${at} ${length}`];
  }).flat();
}

for (const [format, prefix, options, size] of KINDS) {
  testIf(
    MISSING,
    `${prefix}: reads what QEMU made with ${options}`,
    () =>
      withSeeds([1, 2], (random) =>
        inDirectory(async (directory) => {
          const image = `${directory}/disk.${prefix}`;
          const raw = `${directory}/wanted.raw`;
          const of = ["-f", format];
          await qemu(
            directory,
            "qemu-img",
            ...["create", "-q", ...of, "-o", options, image, `${size}`],
          );
          await qemu(
            directory,
            "qemu-io",
            ...of,
            ...commandsOf(random, size),
            image,
          );
          await qemu(
            directory,
            "qemu-img",
            ...["convert", ...of, "-O", "raw", image, raw],
          );
          const wanted = await Deno.readFile(raw);
          assertEquals(wanted.length >= size, true);
          await assertSameBytes(`${prefix}:${image}`, wanted);
        })),
  );
}
