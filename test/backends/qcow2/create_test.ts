/** New images, as QEMU sees them. */
import { assert, assertEquals, assertMatch, assertRejects } from "@std/assert";
import { UserError } from "../../../src/base/user_error.ts";
import {
  createImage,
  type CreateRequest,
} from "../../../src/backends/create_image.ts";
import { driverServices } from "../../../src/session/driver_services.ts";
import { imageOptions } from "../_image_options.ts";
import {
  assertSameBytes,
  inDirectory,
  MISSING,
  openReal,
  qemu,
} from "./_qemu.ts";

const MIB = 1 << 20;
const PLAIN: CreateRequest = {
  size: null,
  backing: null,
  clusterSize: null,
  extendedL2: false,
  preallocation: "off",
  dataFile: null,
};

function create(target: string, request: Partial<CreateRequest>) {
  const options = { ...imageOptions, lock: false };
  return createImage(
    target,
    { ...PLAIN, ...request },
    options,
    driverServices({}),
  );
}

/** Asserts that QEMU finds no fault in an image, and no lost cluster. */
async function assertSound(directory: string, image: string): Promise<void> {
  const text = await qemu(directory, "qemu-img", "check", image);
  assertMatch(text, /No errors were found/);
}

const SHAPES: Readonly<Record<string, Partial<CreateRequest>>> = {
  "the defaults": {},
  "the smallest clusters": { clusterSize: 512 },
  "the largest clusters": { clusterSize: 2 * MIB },
  "subclusters": { extendedL2: true },
  "the smallest clusters with subclusters": {
    extendedL2: true,
    clusterSize: 16_384,
  },
  "preallocated tables": { preallocation: "metadata" },
  "preallocated tables of small clusters": {
    preallocation: "metadata",
    clusterSize: 512,
  },
  "preallocated space": { preallocation: "falloc", clusterSize: 4096 },
  "subclusters and zeroes": { preallocation: "full", extendedL2: true },
  "a data file": { dataFile: "data.raw" },
  "a preallocated data file": {
    dataFile: "data.raw",
    preallocation: "metadata",
  },
};

for (const [name, request] of Object.entries(SHAPES)) {
  Deno.test({
    name: `a new image with ${name} is sound, and both write to it`,
    ignore: MISSING !== "",
    fn: () =>
      inDirectory(async (directory) => {
        const size = 5 * MIB + 512;
        const dataFile = request.dataFile == null
          ? null
          : `${directory}/${request.dataFile}`;
        const path = `${directory}/new.qcow2`;
        const made = await create(`qcow2:${path}`, {
          ...request,
          size,
          dataFile,
        });
        assertEquals(made, { format: "qcow2", size });
        await assertSound(directory, path);
        const wanted = new Uint8Array(size);
        await assertSameBytes(`qcow2:${path}`, wanted);

        const image = await openReal(`qcow2:${path}`, { writable: true });
        const ours = new Uint8Array(100_000).fill(3);
        assertEquals(
          await image.backend.write(MIB - 7, ours, 0, ours.length),
          ours.length,
        );
        await image.close();
        wanted.set(ours, MIB - 7);
        await assertSound(directory, path);

        await qemu(directory, "qemu-io", "-c", "write -P 9 3M 70k", path);
        wanted.fill(9, 3 * MIB, 3 * MIB + 70 * 1024);
        await assertSound(directory, path);
        await assertSameBytes(`qcow2:${path}`, wanted);
      }),
  });
}

Deno.test({
  name: "a new image records the image below it as seen from its directory",
  ignore: MISSING !== "",
  fn: () =>
    inDirectory(async (directory) => {
      await Deno.mkdir(`${directory}/sub`);
      const base = `${directory}/sub/base.qcow2`;
      await create(`qcow2:${base}`, { size: MIB });
      await qemu(directory, "qemu-io", "-c", "write -P 5 0 64k", base);
      const top = `${directory}/top.qcow2`;
      const made = await create(`qcow2:${top}`, { backing: `qcow2:${base}` });
      assertEquals(made.size, MIB);
      const info = JSON.parse(
        await qemu(directory, "qemu-img", "info", "--output=json", top),
      );
      assertEquals(info["backing-filename"], "sub/base.qcow2");
      assertEquals(info["backing-filename-format"], "qcow2");
      const wanted = new Uint8Array(MIB);
      wanted.fill(5, 0, 65_536);
      await assertSameBytes(`qcow2:${top}`, wanted);
      // Elsewhere, it has to be found all the same.
      const far = `${directory}/sub/far.qcow2`;
      await create(`qcow2:${far}`, { backing: `qcow2:${top}`, size: 2 * MIB });
      const more = new Uint8Array(2 * MIB);
      more.set(wanted);
      await assertSameBytes(`qcow2:${far}`, more, {
        allowReference: [directory],
      });
      await assertSound(directory, far);
    }),
});

/** What making an image is refused with; nothing is left behind. */
function refuses(
  name: string,
  target: string,
  request: Partial<CreateRequest>,
  pattern: RegExp,
): void {
  Deno.test({
    name: `creating refuses ${name}`,
    ignore: MISSING !== "",
    fn: () =>
      inDirectory(async (directory) => {
        await Deno.writeTextFile(`${directory}/there`, "mine");
        const path = target.replace("DIR", directory);
        const place = (text: string | null = null) =>
          text?.replace("DIR", directory) ?? null;
        const error = await assertRejects(
          () =>
            create(path, {
              ...request,
              backing: place(request.backing),
              dataFile: place(request.dataFile),
            }),
          UserError,
        );
        assertMatch(error.message, pattern);
        const entries = await Array.fromAsync(Deno.readDir(directory));
        const names = entries.map((each) => each.name);
        assertEquals(names, ["there"]);
        assertEquals(await Deno.readTextFile(`${directory}/there`), "mine");
      }),
  });
}

refuses("to overwrite", "qcow2:DIR/there", { size: MIB }, /remove it, or/);
refuses("an image without a size", "qcow2:DIR/a", {}, /without a size/);
refuses(
  "clusters that are no power of two",
  "qcow2:DIR/a",
  { size: MIB, clusterSize: 3000 },
  /from 512 B to 2 MiB/,
);
refuses(
  "small clusters with subclusters",
  "qcow2:DIR/a",
  { size: MIB, clusterSize: 8192, extendedL2: true },
  /extended L2 entries have a power of two/,
);
refuses(
  "a disk that its clusters cannot describe",
  "qcow2:DIR/a",
  { size: 2 ** 50, clusterSize: 512 },
  /use a larger cluster size/,
);
refuses(
  "to hide the image below",
  "qcow2:DIR/a",
  { size: MIB, backing: "raw:DIR/there", preallocation: "metadata" },
  /would hide the image below/,
);
refuses(
  "a data file that is there",
  "qcow2:DIR/a",
  { size: MIB, dataFile: "DIR/there" },
  /remove it, or/,
);
refuses("clusters of a raw image", "DIR/a", {
  size: MIB,
  clusterSize: 4096,
}, /a raw image has none/);
refuses("other sources", "memory:1M", { size: MIB }, /images can be made as/);
refuses(
  "a directory that is missing",
  "qcow2:DIR/no/a",
  { size: MIB },
  /directory/,
);

Deno.test({
  name: "a new raw image is sparse, or has its space",
  ignore: MISSING !== "",
  fn: () =>
    inDirectory(async (directory) => {
      const sparse = `${directory}/sparse.img`;
      await create(sparse, { size: 3 * MIB });
      const first = await Deno.stat(sparse);
      assertEquals([first.size, first.blocks], [3 * MIB, 0]);
      const full = `${directory}/full.img`;
      await create(full, { size: 3 * MIB, preallocation: "falloc" });
      const second = await Deno.stat(full);
      assertEquals(second.size, 3 * MIB);
      assert(second.blocks! * 512 >= 3 * MIB);
    }),
});
