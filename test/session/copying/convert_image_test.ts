/** Conversions of files, which QEMU compares. */
import { assertEquals, assertMatch, assertRejects } from "@std/assert";
import { LOOK_OPTIONS } from "../../../src/backends/driver.ts";
import { UserError } from "../../../src/base/user_error.ts";
import {
  type Converted,
  convertImage,
  type ConvertRequest,
} from "../../../src/session/copying/convert_image.ts";
import { driverServices } from "../../../src/session/driver_services.ts";
import { Random, withSeeds } from "../../_random.ts";
import { testIf } from "../../requirements.ts";
import { buildMbr } from "../../backends/partitions/_build_table.ts";
import { inDirectory, MISSING, qemu } from "../../backends/qcow2/_qemu.ts";

const MIB = 1 << 20;

function convert(
  directory: string,
  source: string,
  target: string,
  changes: Partial<ConvertRequest> = {},
  signal: AbortSignal = new AbortController().signal,
): Promise<Converted> {
  const at = (text: string) =>
    text.replace(/^(qcow2:|raw:)?/, `$1${directory}/`);
  const request: ConvertRequest = {
    source: at(source),
    target: at(target),
    reading: { ...LOOK_OPTIONS, lock: true },
    verify: true,
    workers: 2,
    force: false,
    compress: null,
    clusterSize: null,
    since: null,
    ...changes,
    backing: changes.backing === undefined || changes.backing === null
      ? null
      : at(changes.backing),
  };
  return convertImage(request, driverServices({}), {
    signal,
    progress() {},
  });
}

/** Makes a raw image of an odd size, with holes, zeroes and data. */
async function makeRaw(
  directory: string,
  name: string,
  random: Random,
): Promise<void> {
  using file = await Deno.create(`${directory}/${name}`);
  const size = 8 * MIB + 512 * random.below(4096);
  await file.truncate(size);
  for (let i = 0; i < 12; i++) {
    const length = Math.min(1 + random.below(600_000), size);
    await file.seek(random.below(size - length), Deno.SeekMode.Start);
    const kind = random.below(3);
    await file.write(
      kind === 0
        ? new Uint8Array(length)
        : kind === 1
        ? new Uint8Array(length).fill(1 + random.below(255))
        : random.bytes(length),
    );
  }
}

async function assertSound(directory: string, image: string): Promise<void> {
  assertMatch(
    await qemu(directory, "qemu-img", "check", image),
    /No errors were found/,
  );
}

async function namesIn(directory: string): Promise<string[]> {
  const names: string[] = [];
  for await (const { name } of Deno.readDir(directory)) names.push(name);
  return names.sort();
}

const KINDS: readonly Partial<ConvertRequest>[] = [
  {},
  { compress: "deflate" },
  { compress: "zstd", clusterSize: 2 * MIB },
  { clusterSize: 4096, workers: 1 },
];

testIf(
  MISSING,
  "convertImage() makes qcow2 images and raw ones of them, as QEMU reads them",
  () =>
    withSeeds([1, 2], (random) =>
      inDirectory(async (directory) => {
        await makeRaw(directory, "a.img", random);
        for (const kind of KINDS) {
          await convert(directory, "a.img", "qcow2:a.qcow2", {
            ...kind,
            force: true,
          });
          await assertSound(directory, "a.qcow2");
          await qemu(directory, "qemu-img", "compare", "a.img", "a.qcow2");
          await convert(directory, "qcow2:a.qcow2", "b.img", { force: true });
          await qemu(directory, "qemu-img", "compare", "a.img", "b.img");
        }
        assertEquals(await namesIn(directory), ["a.img", "a.qcow2", "b.img"]);
        const size = (name: string) =>
          Deno.statSync(`${directory}/${name}`).blocks!;
        assertEquals(size("b.img") <= size("a.img"), true);
      })),
);

testIf(
  MISSING,
  "convertImage() copies a partition alone",
  () =>
    inDirectory(async (directory) => {
      await makeRaw(directory, "a.img", new Random(4));
      const disk = `${directory}/a.img`;
      const bytes = await Deno.readFile(disk);
      bytes.set(buildMbr([{ type: 0x83, start: 2048, length: 5001 }]));
      await Deno.writeFile(disk, bytes);
      const reading = { ...LOOK_OPTIONS, partition: "1" };
      await convert(directory, "a.img", "b.img", { reading });
      const end = (2048 + 5001) * 512;
      const got = await Deno.readFile(`${directory}/b.img`);
      assertEquals(got.length, 5001 * 512);
      assertEquals(got, bytes.slice(MIB, end));
      await convert(directory, "a.img", "qcow2:b.qcow2", { reading });
      await qemu(directory, "qemu-img", "compare", "b.img", "b.qcow2");
      await assertRejects(
        () =>
          convert(directory, "a.img", "c.img", {
            reading: { ...reading, partition: "2" },
          }),
        UserError,
        "2",
      );
      assertEquals(await namesIn(directory), ["a.img", "b.img", "b.qcow2"]);
    }),
);

testIf(
  MISSING,
  "convertImage() copies a snapshot, and only what differs from a backing image",
  () =>
    inDirectory(async (directory) => {
      const random = new Random(3);
      await makeRaw(directory, "a.img", random);
      const create = ["convert", "-O", "qcow2", "a.img", "a.qcow2"];
      await qemu(directory, "qemu-img", ...create);
      await qemu(directory, "qemu-img", "snapshot", "-c", "one", "a.qcow2");
      const change = ["-c", "write -P 9 1M 100k", "-c", "write -z 3M 700k"];
      await qemu(directory, "qemu-io", ...change, "a.qcow2");
      await convert(directory, "qcow2:a.qcow2", "one.img", {
        reading: { ...LOOK_OPTIONS, snapshot: "one" },
      });
      await qemu(directory, "qemu-img", "compare", "a.img", "one.img");
      await convert(directory, "qcow2:a.qcow2", "qcow2:top.qcow2", {
        backing: "raw:one.img",
      });
      await assertSound(directory, "top.qcow2");
      await qemu(directory, "qemu-img", "compare", "a.qcow2", "top.qcow2");
      const { size } = await Deno.stat(`${directory}/top.qcow2`);
      assertEquals(size < 2 * MIB, true, `${size}`);
    }),
);

testIf(
  MISSING,
  "convertImage() overwrites nothing, and leaves nothing that is not complete",
  () =>
    inDirectory(async (directory) => {
      await makeRaw(directory, "a.img", new Random(4));
      await Deno.writeTextFile(`${directory}/b.img`, "mine");
      await assertRejects(
        () => convert(directory, "a.img", "b.img"),
        UserError,
        "a file is there already; use --force",
      );
      await assertRejects(
        () => convert(directory, "a.img", "qcow2:a.img", { force: true }),
        UserError,
        "that file belongs to the source",
      );
      await Deno.link(`${directory}/a.img`, `${directory}/link.img`);
      await assertRejects(
        () => convert(directory, "a.img", "link.img", { force: true }),
        UserError,
        "that file belongs to the source",
      );
      await Deno.remove(`${directory}/link.img`);
      await Deno.writeTextFile(`${directory}/c.img.part`, "unfinished");
      await assertRejects(
        () => convert(directory, "a.img", "c.img"),
        UserError,
        "c.img.part is there, which another conversion is writing, or has left",
      );
      const stopping = new AbortController();
      stopping.abort(new UserError("stopped by a test"));
      await assertRejects(
        () => convert(directory, "a.img", "d.img", {}, stopping.signal),
        UserError,
        "stopped by a test",
      );
      const wrong = { clusterSize: 1000 };
      await assertRejects(
        () => convert(directory, "a.img", "qcow2:e.qcow2", wrong),
        UserError,
        "choose another cluster size",
      );
      assertEquals(await Deno.readTextFile(`${directory}/b.img`), "mine");
      assertEquals(await namesIn(directory), ["a.img", "b.img", "c.img.part"]);
    }),
);

testIf(
  MISSING,
  "convertImage() replaces no image that the new one would show",
  () =>
    inDirectory(async (directory) => {
      await makeRaw(directory, "a.img", new Random(7));
      const create = ["create", "-q", "-f", "qcow2", "-F", "raw"];
      await qemu(directory, "qemu-img", ...create, "-b", "a.img", "b.qcow2");
      await Deno.copyFile(`${directory}/a.img`, `${directory}/c.img`);
      for (const target of ["qcow2:b.qcow2", "qcow2:a.img"]) {
        const backing = "qcow2:b.qcow2";
        await assertRejects(
          () => convert(directory, "c.img", target, { backing, force: true }),
          UserError,
          "that file belongs to the backing image",
        );
      }
      await qemu(directory, "qemu-img", "compare", "c.img", "b.qcow2");
      assertEquals(await namesIn(directory), ["a.img", "b.qcow2", "c.img"]);
    }),
);

testIf(
  MISSING,
  "convertImage() says what it cannot read of an image that was cut short",
  () =>
    inDirectory(async (directory) => {
      await makeRaw(directory, "a.img", new Random(8));
      const create = ["convert", "-O", "qcow2", "a.img", "a.qcow2"];
      await qemu(directory, "qemu-img", ...create);
      const { size } = await Deno.stat(`${directory}/a.qcow2`);
      await Deno.truncate(`${directory}/a.qcow2`, size >> 1);
      await assertRejects(
        () => convert(directory, "qcow2:a.qcow2", "b.img"),
        UserError,
        "a part of it is missing or damaged",
      );
      assertEquals(await namesIn(directory), ["a.img", "a.qcow2"]);
    }),
);

testIf(
  MISSING,
  "convertImage() copies what has changed since a snapshot, and up to one",
  () =>
    withSeeds([5, 6], (random) =>
      inDirectory(async (directory) => {
        await makeRaw(directory, "a.img", random);
        const options = random.pick(["cluster_size=4k", "cluster_size=64k"]);
        const create = ["convert", "-O", "qcow2", "-o", options];
        await qemu(directory, "qemu-img", ...create, "a.img", "a.qcow2");
        const snapshot = (name: string) =>
          qemu(directory, "qemu-img", "snapshot", "-c", name, "a.qcow2");
        const scribble = () =>
          qemu(
            directory,
            "qemu-io",
            ...Array.from({ length: 5 }, () => {
              const at = 512 * random.below(12_000);
              const kind = random.pick(["-P 7", "-P 8", "-z", "-zu"]);
              return ["-c", `write ${kind} ${at} ${512 * random.below(500)}`];
            }).flat(),
            "a.qcow2",
          );
        await snapshot("one");
        const reading = (name: string | null) => ({
          ...LOOK_OPTIONS,
          snapshot: name,
        });
        await convert(directory, "qcow2:a.qcow2", "qcow2:one.qcow2", {
          reading: reading("one"),
        });
        await scribble();
        await snapshot("two");
        await scribble();
        await convert(directory, "qcow2:a.qcow2", "qcow2:two.qcow2", {
          reading: reading("two"),
          since: "one",
          backing: "qcow2:one.qcow2",
          compress: "zstd",
        });
        const { data } = await convert(
          directory,
          "qcow2:a.qcow2",
          "qcow2:now.qcow2",
          { since: "two", backing: "qcow2:two.qcow2" },
        );
        assertEquals(data < 4 * MIB, true, `${data}`);
        await assertSound(directory, "two.qcow2");
        await assertSound(directory, "now.qcow2");
        await qemu(directory, "qemu-img", "compare", "a.qcow2", "now.qcow2");
        await qemu(
          directory,
          "qemu-img",
          "convert",
          "-l",
          "two",
          "-O",
          "raw",
          "a.qcow2",
          "two.img",
        );
        await qemu(directory, "qemu-img", "compare", "two.img", "two.qcow2");
        await assertRejects(
          () =>
            convert(directory, "qcow2:a.qcow2", "qcow2:x.qcow2", {
              since: "none",
              backing: "qcow2:one.qcow2",
            }),
          UserError,
          'Cannot open snapshot "none"',
        );
      })),
);

testIf(
  MISSING,
  "convertImage() hides the backing image behind a last half sector",
  () =>
    inDirectory(async (directory) => {
      const bytes = new Uint8Array(MIB + 70_000).fill(7);
      await Deno.writeFile(`${directory}/base.raw`, bytes);
      const source = bytes.subarray(0, MIB + 1);
      await Deno.writeFile(`${directory}/disk.raw`, source);
      const backing = "raw:base.raw";
      await convert(directory, "disk.raw", "qcow2:new.qcow2", { backing });
      await qemu(directory, "qemu-img", "compare", "disk.raw", "new.qcow2");
    }),
);
