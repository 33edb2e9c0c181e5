/** VHD images: how large their disks are, their parents, and what is refused. */
import { assertEquals, assertRejects } from "@std/assert";
import type { ImageOptions } from "../../../src/backends/driver.ts";
import { openImage } from "../../../src/backends/open_image.ts";
import { ERRNO } from "../../../src/base/errno.ts";
import { errnoOf } from "../../../src/base/errno_of.ts";
import { UserError } from "../../../src/base/user_error.ts";
import { FakeFiles } from "../_fake_files.ts";
import { readBack } from "../_image.ts";
import { imageOptions } from "../_image_options.ts";
import {
  buildVhd,
  sealVhd,
  VHD_AT,
  vhdByte,
  type VhdPlan,
} from "./_build_vhd.ts";

const SIZE = 40_960;

/** Opens an image beside other files, and returns its bytes. */
async function readDisk(
  files: Readonly<Record<string, Uint8Array>>,
  options: Partial<ImageOptions> = {},
): Promise<{ bytes: Uint8Array; told: string[] }> {
  const fake = new FakeFiles();
  for (const [path, bytes] of Object.entries(files)) fake.write(path, bytes);
  const all = { ...imageOptions, ...options };
  const image = await openImage("vhd:disk.vhd", all, fake.services());
  try {
    const { backend, stat } = image;
    return { bytes: await readBack(backend, 0, stat.size), told: fake.told };
  } finally {
    await image.close();
    assertEquals(fake.openCount, 0);
  }
}

async function sizeOf(plan: Partial<VhdPlan>): Promise<number> {
  const file = buildVhd({ size: SIZE, kind: "fixed", ...plan });
  return (await readDisk({ "disk.vhd": file })).bytes.length;
}

Deno.test("a disk is as large as its geometry for Virtual PC and QEMU only", async () => {
  const geometry = [5, 4, 3] as const;
  for (const creator of ["vpc ", "qemu"]) {
    assertEquals(await sizeOf({ creator, geometry }), 60 * 512, creator);
    const max = [65_535, 16, 255] as const;
    assertEquals(await sizeOf({ creator, geometry: max }), SIZE);
  }
  for (const creator of ["win ", "qem2", "d2v ", "tap\0", "vbox", "wa\0\0"]) {
    assertEquals(await sizeOf({ creator, geometry }), SIZE, creator);
  }
});

Deno.test("a fixed disk that is not all there is refused", async () => {
  const geometry = [100, 4, 3] as const;
  await assertRejects(
    () => sizeOf({ creator: "vpc ", geometry }),
    UserError,
    "its footer says that the disk has 614400 bytes, and 40960 are before it",
  );
});

Deno.test("a footer of 511 bytes, or the copy at the start, is found", async () => {
  const plan: VhdPlan = { size: SIZE, kind: "dynamic" };
  const whole = await readDisk({ "disk.vhd": buildVhd(plan) });
  assertEquals(
    whole.bytes,
    Uint8Array.from({ length: SIZE }, (_, i) => vhdByte(i)),
  );
  const old = buildVhd(plan).slice(0, -1);
  assertEquals((await readDisk({ "disk.vhd": old })).bytes, whole.bytes);
  const cut = buildVhd(plan).slice(0, -512);
  const { bytes, told } = await readDisk({ "disk.vhd": cut });
  assertEquals(bytes, whole.bytes);
  assertEquals(told.length, 1);
  const damaged = buildVhd(plan);
  damaged[70]! ^= 1;
  damaged[damaged.length - 400]! ^= 1;
  await assertRejects(
    () => readDisk({ "disk.vhd": damaged }),
    UserError,
    "the checksum of its footer is wrong",
  );
});

const CHILD: VhdPlan = {
  size: SIZE,
  kind: "differencing",
  parentId: 7,
  relativePath: ".\\base.vhd",
  hasBlock: (i) => i % 2 === 0,
  hasSector: (i) => i % 3 === 0,
  byteAt: () => 0xcc,
};
const BASE: VhdPlan = {
  size: SIZE,
  kind: "dynamic",
  id: 7,
  hasSector: (i) => i % 5 !== 0,
};

/** What the child shows over its parent. */
function wantedByte(position: number): number {
  const sector = Math.floor(position / 512);
  const isInChild = Math.floor(sector / 8) % 2 === 0 && sector % 3 === 0;
  return isInChild ? 0xcc : sector % 5 === 0 ? 0 : vhdByte(position);
}

Deno.test("a differencing image shows its parent where it has no sector", async () => {
  const wanted = Uint8Array.from({ length: SIZE }, (_, i) => wantedByte(i));
  const base = buildVhd(BASE);
  for (const name of ["relative", "name alone", "given"]) {
    const child = name === "relative"
      ? CHILD
      : name === "name alone"
      ? { ...CHILD, relativePath: null, parentName: "C:\\VMs\\base.vhd" }
      : { ...CHILD, relativePath: null };
    const options = name === "given" ? { backing: "vhd:base.vhd" } : {};
    const files = { "disk.vhd": buildVhd(child), "base.vhd": base };
    assertEquals((await readDisk(files, options)).bytes, wanted, name);
  }
});

Deno.test("a parent is refused if it is another image, or lies elsewhere", async () => {
  const refusals: [Partial<VhdPlan>, string, string][] = [
    [{}, "base.vhd", "it has the id 0808"],
    [
      { relativePath: "..\\base.vhd" },
      "/base.vhd",
      "outside of the image's directory",
    ],
    [{ relativePath: "json:{}" }, "base.vhd", "it is not a path"],
    [
      { relativePath: "disk.vhd" },
      "base.vhd",
      "part of the same chain already",
    ],
    [{ relativePath: null }, "base.vhd", "the image does not name it"],
  ];
  for (const [changes, path, why] of refusals) {
    const files = {
      "disk.vhd": buildVhd({ ...CHILD, ...changes }),
      [path]: buildVhd({ ...BASE, id: 8 }),
    };
    await assertRejects(() => readDisk(files), UserError, why);
  }
});

Deno.test("fields that make no sense are refused", async () => {
  const fields: readonly (readonly [number, number, string])[] = [
    [60, 9, "it is of the kind 9"],
    [VHD_AT.HEADER + 32, 3000, "its blocks have 3000 bytes"],
    [VHD_AT.HEADER + 32, 0, "its blocks have 0 bytes"],
    [VHD_AT.HEADER + 28, 9, "its table has 9 entries, yet 40960 bytes need 10"],
    [VHD_AT.HEADER + 16, 1, "its table is at byte"],
    [VHD_AT.HEADER, 1, "it has no header at byte 512"],
    [20, 0xffff_ff00, "it has no header at byte"],
    [48, 2 ** 31, "bytes"],
    [52, 2 ** 31, "its table of 524288 entries"],
  ];
  for (const [at, value, why] of fields) {
    const file = buildVhd({ size: SIZE, kind: "dynamic" });
    const view = new DataView(file.buffer);
    view.setUint32(at, value);
    if (at < 512) view.setUint32(file.length - 512 + at, value);
    sealVhd(file);
    const read = () => readDisk({ "disk.vhd": file });
    if (at === 52) await assertRejects(read, UserError, "entries");
    else await assertRejects(read, UserError, why);
  }
});

Deno.test("a block beyond the end of the file is an error wherever it is met", async () => {
  const whole = buildVhd({ size: SIZE, kind: "dynamic" });
  const fake = new FakeFiles();
  fake.write("disk.vhd", whole.subarray(0, whole.length >> 1));
  const image = await openImage("vhd:disk.vhd", imageOptions, fake.services());
  try {
    const { backend } = image;
    const last = SIZE - 512;
    assertEquals(
      await backend.read(last, new Uint8Array(512), 0, 512),
      -ERRNO.EIO,
    );
    const error = await assertRejects(
      async () => await backend.extent(last),
      UserError,
      "Cannot read a table of /images/disk.vhd (EIO): a part of the file is missing",
    );
    assertEquals(errnoOf(error), ERRNO.EIO);
  } finally {
    await image.close();
  }
});
