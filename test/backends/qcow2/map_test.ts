/** What ranges of an image are made of, beside 'qemu-img map'. */
import { assert, assertEquals } from "@std/assert";
import { type ImageRange, mapImage } from "../../../src/backends/image_map.ts";
import { openImage } from "../../../src/backends/open_image.ts";
import { testIf } from "../../requirements.ts";
import { FakeFiles } from "../_fake_files.ts";
import { imageOptions } from "../_image_options.ts";
import { buildImage } from "./_build_image.ts";
import { inDirectory, MISSING, openReal, qemu } from "./_qemu.ts";

const CLUSTER = 65_536;

Deno.test("ranges tell the kind, the place and the depth of bytes", async () => {
  const files = new FakeFiles();
  files.write(
    "top",
    buildImage({
      size: 6 * CLUSTER,
      clusters: ["data", "zero", "kept zero", "compressed", "unallocated"],
      backing: { name: "base", format: "raw" },
    }),
  );
  files.write("base", new Uint8Array(4 * CLUSTER + 100).fill(1));
  const image = await openImage("qcow2:top", imageOptions, files.services());
  const ranges = await Array.fromAsync(mapImage(image.backend));
  const short = ranges.map(({ start, length, depth, present, offset, ...is }) =>
    [
      start / CLUSTER,
      length / CLUSTER,
      depth,
      present ? "present" : "absent",
      is.compressed ? "compressed" : is.data ? "data" : "zero",
      offset === null ? null : offset / CLUSTER,
    ] as const
  );
  assertEquals(short, [
    [0, 1, 0, "present", "data", 5],
    [1, 1, 0, "present", "zero", null],
    [2, 1, 0, "present", "zero", 6],
    [3, 1, 0, "present", "compressed", null],
    [4, 100 / CLUSTER, 1, "present", "data", 4],
    // QEMU counts the sectors of a raw image.
    [
      4 + 100 / CLUSTER,
      412 / CLUSTER,
      1,
      "present",
      "zero",
      4 + 100 / CLUSTER,
    ],
    [4 + 512 / CLUSTER, 2 - 512 / CLUSTER, 0, "absent", "zero", null],
  ]);
  await image.close();
});

/** A range as qemu-img 7.2 prints it. */
interface QemuRange extends Omit<ImageRange, "offset" | "compressed"> {
  readonly offset?: number;
}

/** Our ranges as qemu-img 7.2 would print them. */
function asQemu({ offset, compressed: _, ...range }: ImageRange): QemuRange {
  return offset === null ? range : { ...range, offset };
}

for (
  const kind of [
    "cluster_size=64k",
    "cluster_size=512",
    "compat=0.10",
    "extended_l2=on",
    "data_file=data.img",
  ]
) {
  testIf(
    MISSING,
    `ranges with ${kind} are those of qemu-img map`,
    () =>
      inDirectory(async (directory) => {
        const run = (...args: string[]) => qemu(directory, "qemu-img", ...args);
        const create = ["create", "-q", "-f", "qcow2", "-o", kind];
        await run("create", "-q", "-f", "raw", "base.raw", "700k");
        await Deno.truncate(`${directory}/base.raw`, 700 * 1024 - 211);
        await run(...create, "-b", "base.raw", "-F", "raw", "mid", "1M");
        await qemu(
          directory,
          "qemu-io",
          "-f",
          "raw",
          "-c",
          "write 100k 300k",
          "base.raw",
        );
        const writes = ["write 64k 70k", "write -z 300k 128k", "write 900k 3k"]
          .flatMap((command) => ["-c", command]);
        await qemu(directory, "qemu-io", "-f", "qcow2", ...writes, "mid");
        const name = kind.startsWith("data_file") ? "cluster_size=4k" : kind;
        const top = ["create", "-q", "-f", "qcow2", "-o", name];
        await run(...top, "-b", "mid", "-F", "qcow2", "top", "1500k");
        const more = [
          "write 512k 64k",
          "write -z -u 128k 64k",
          "write 1300k 5k",
        ]
          .flatMap((command) => ["-c", command]);
        await qemu(directory, "qemu-io", "-f", "qcow2", ...more, "top");
        for (const image of ["mid", "top"]) {
          const said = await run("map", "--output=json", "-f", "qcow2", image);
          const opened = await openReal(`qcow2:${directory}/${image}`);
          const ranges = await Array.fromAsync(
            mapImage(opened.backend),
            asQemu,
          );
          await opened.close();
          assertEquals(ranges, JSON.parse(said), image);
          assert(ranges.length > 5);
        }
      }),
  );
}
