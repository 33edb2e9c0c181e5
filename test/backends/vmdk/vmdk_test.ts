/** What VMDK images are refused for, and which files they may lead to. */
import { assertEquals, assertMatch, assertRejects } from "@std/assert";
import type { ImageOptions } from "../../../src/backends/driver.ts";
import { describeVmdk } from "../../../src/backends/formats/vmdk/describe.ts";
import { openImage } from "../../../src/backends/open_image.ts";
import { UserError } from "../../../src/base/user_error.ts";
import { FakeFiles } from "../_fake_files.ts";
import { readBack } from "../_image.ts";
import { imageOptions } from "../_image_options.ts";
import {
  buildSparse,
  descriptorText,
  placesOf,
  type SparsePlan,
  wantedByte,
} from "./_build_vmdk.ts";

const GRAIN = 65_536;
const SIZE = 4 * GRAIN;
const EIO = -5;

function withFiles(files: Readonly<Record<string, Uint8Array | string>>) {
  const fake = new FakeFiles();
  for (const [path, bytes] of Object.entries(files)) {
    const isText = typeof bytes === "string";
    fake.write(path, isText ? new TextEncoder().encode(bytes) : bytes);
  }
  const open = (source: string, options: Partial<ImageOptions> = {}) =>
    openImage(source, { ...imageOptions, ...options }, fake.services());
  return { fake, open };
}

/**
 * What opening an image is refused with; nothing stays open, and what lies
 * elsewhere was never opened: that may have effects.
 */
async function refusal(
  files: Readonly<Record<string, Uint8Array | string>>,
  options: Partial<ImageOptions> = {},
  source = "vmdk:top",
): Promise<string> {
  const { fake, open } = withFiles(files);
  const error = await assertRejects(() => open(source, options), UserError);
  assertEquals(fake.openCount, 0);
  if (error.message.includes("outside of the image's directory")) {
    const opened = fake.log.filter((call) => call.startsWith("open "));
    assertEquals(opened, [`open ${source.replace(/^.*:/, "")}`]);
  }
  return error.message;
}

async function assertHolds(plan: SparsePlan, bytes = buildSparse(plan)) {
  const { open } = withFiles({ top: bytes });
  const image = await open("vmdk:top");
  const got = await readBack(image.backend, 0, plan.size);
  const wanted = Uint8Array.from(got, (_, i) => wantedByte(plan, i));
  assertEquals(got, wanted);
  await image.close();
}

const flat = (name: string, sectors = 8) =>
  descriptorText([`RW ${sectors} FLAT "${name}" 0`], "monolithicFlat");

Deno.test("a grain directory that is damaged gives way to the second one", async () => {
  const plan = { size: SIZE, isRedundant: true, grains: ["data"] } as const;
  await assertHolds(plan);
  for (const entry of [0xffff_fff0, 0x7fff_ffff]) {
    const bytes = buildSparse(plan);
    const { directory } = placesOf(plan);
    new DataView(bytes.buffer).setUint32(directory, entry, true);
    await assertHolds(plan, bytes);
  }
  const bytes = buildSparse(plan);
  new DataView(bytes.buffer).setBigUint64(56, 1n << 30n, true);
  await assertHolds(plan, bytes);
});

Deno.test("a grain directory that is damaged gives EIO without a second one", async () => {
  const plan = { size: SIZE };
  const bytes = buildSparse(plan);
  const { directory } = placesOf(plan);
  new DataView(bytes.buffer).setUint32(directory, 0xffff_0000, true);
  const { open, fake } = withFiles({ top: bytes });
  const image = await open("vmdk:top");
  assertEquals(await image.backend.read(0, new Uint8Array(9), 0, 9), EIO);
  assertMatch(
    fake.told[0] ?? "",
    /is damaged: its table at byte 0 of the disk/,
  );
  await image.close();
});

Deno.test("grains of every size, with markers and without, are read", async () => {
  for (const grainSize of [512, 4096, 1 << 20]) {
    for (const isCompressed of [false, true]) {
      const grains = ["data", "zero", "data", "unallocated", "data"] as const;
      const size = 5 * grainSize - (grainSize > 512 ? 512 : 0);
      for (const hasMarkers of [true, false]) {
        await assertHolds({
          size,
          grains,
          grainSize,
          isCompressed,
          hasMarkers,
        });
      }
    }
  }
});

Deno.test("a grain that is lost or damaged gives EIO", async () => {
  const plan = { size: SIZE, grains: ["data", "data"] } as const;
  for (const isCompressed of [false, true]) {
    const whole = buildSparse({ ...plan, isCompressed });
    const at = placesOf(plan).grains;
    const cut = whole.slice(0, at + 100);
    const changed = whole.slice();
    changed.fill(0xee, at + 20, at + 40);
    for (const bytes of isCompressed ? [cut, changed] : [cut]) {
      const { open } = withFiles({ top: bytes });
      const image = await open("vmdk:top");
      const { backend } = image;
      const buffer = new Uint8Array(GRAIN);
      const from = isCompressed ? 0 : 1024;
      assertEquals(await backend.read(from, buffer, 0, 9), EIO);
      await image.close();
    }
  }
});

Deno.test("markers that lie give EIO", async () => {
  const plan = { size: SIZE, isCompressed: true };
  for (const length of [0, 1, 2 ** 31, 2 ** 32 - 1]) {
    const bytes = buildSparse(plan);
    const at = placesOf(plan).grains + 8;
    new DataView(bytes.buffer).setUint32(at, length, true);
    const { open } = withFiles({ top: bytes });
    const image = await open("vmdk:top");
    assertEquals(await image.backend.read(0, new Uint8Array(9), 0, 9), EIO);
    await image.close();
  }
});

const HEADERS:
  readonly (readonly [string, RegExp, (view: DataView) => void])[] = [
    ["version", /it has version 4, not 1 to 3/, (v) => v.setUint32(4, 4, true)],
    [
      "capacity",
      /the header's field at byte 12 is 18446744073709551615/,
      (v) => v.setBigUint64(12, 2n ** 64n - 1n, true),
    ],
    [
      "a capacity that needs too large a directory",
      /its grain directory for 4503599627370496 bytes is too large/,
      (v) => v.setBigUint64(12, 2n ** 43n, true),
    ],
    [
      "grain size 0",
      /its grains have 0 bytes, not a power of two/,
      (v) => v.setBigUint64(20, 0n, true),
    ],
    [
      "grain size 3",
      /its grains have 1536 bytes, not a power of two/,
      (v) => v.setBigUint64(20, 3n, true),
    ],
    [
      "grain size 2^40",
      /its grains have \d+ bytes/,
      (v) => v.setBigUint64(20, 2n ** 40n, true),
    ],
    [
      "entries 0",
      /its grain tables have 0 entries/,
      (v) => v.setUint32(44, 0, true),
    ],
    [
      "entries 513",
      /its grain tables have 513 entries/,
      (v) => v.setUint32(44, 513, true),
    ],
    [
      "directory",
      /its grain directory cannot be read completely/,
      (v) => v.setBigUint64(56, 1n << 40n, true),
    ],
    ["footer", /it has no footer/, (v) => v.setBigInt64(56, -1n, true)],
    ["newlines", /transferred as text/, (v) => v.setUint8(75, 10)],
    [
      "compression",
      /its grains are compressed by method 2/,
      (v) => v.setUint16(77, 2, true),
    ],
    [
      "descriptor",
      /its descriptor is too long/,
      (v) => {
        v.setBigUint64(28, 1n, true);
        v.setBigUint64(36, 1n << 30n, true);
      },
    ],
    ["magic", /does not begin like a VMDK image/, (v) => v.setUint32(0, 0)],
    [
      "SESPARSE",
      /it is in the format SESPARSE/,
      (v) => v.setUint32(0, 0xcafebabe, true),
    ],
  ];

for (const [what, message, change] of HEADERS) {
  Deno.test(`a header with a wrong field (${what}) is refused`, async () => {
    const bytes = buildSparse({ size: SIZE });
    change(new DataView(bytes.buffer));
    assertMatch(await refusal({ top: bytes }), message);
  });
}

Deno.test("a descriptor that makes no sense is refused", async () => {
  const bad = (line: string) => refusal({ top: descriptorText([line]) });
  assertMatch(await bad('RW many FLAT "a" 0'), /has the line "RW many/);
  assertMatch(await bad('RW 0 FLAT "a" 0'), /has no valid size/);
  assertMatch(await bad(`RW ${2n ** 60n} ZERO`), /has no valid size/);
  assertMatch(await bad('NOACCESS 9 FLAT "a" 0'), /must not be read/);
  assertMatch(await bad('RW 9 SESPARSE "a"'), /of the type SESPARSE/);
  assertMatch(await bad("RW 9 FLAT"), /of the type FLAT has no file/);
  assertMatch(await bad("parentCID=xyz"), /has the CID "xyz"/);
  assertMatch(await bad("# nothing"), /names no extents/);
  const many = Array(1025).fill("RW 1 ZERO");
  assertMatch(await refusal({ top: descriptorText(many) }), /more than 1024/);
});

Deno.test("an extent must be what the descriptor says", async () => {
  const short = new Uint8Array(4095);
  assertMatch(
    await refusal({ top: flat("a"), a: short }),
    /^Cannot open the extent "a" of \/images\/top: it has 4095 bytes, yet the extent ends at 4096/,
  );
  assertMatch(
    await refusal({ top: flat("a") }),
    /^Cannot open the extent "a" of \/images\/top: there is no \/images\/a; put all files/,
  );
  const top = descriptorText(['RW 99 SPARSE "a"']);
  const a = buildSparse({ size: SIZE });
  assertMatch(await refusal({ top, a }), /it has a disk of 262144 bytes/);
});

Deno.test("extents may not lead out of the image's directory", async () => {
  const top = (name: string) => ({
    "dir/top": flat(name),
    secret: new Uint8Array(4096),
    "dir/a": new Uint8Array(4096),
  });
  const open = (name: string) => refusal(top(name), {}, "vmdk:dir/top");
  for (const name of ["../secret", "/images/secret"]) {
    assertMatch(await open(name), /it is \/images\/secret, outside of/);
  }
  for (const name of ["json:{}", "nbd://host/", "C:\\\\disk.vmdk", "file:a"]) {
    assertMatch(await open(name), /it is not a path/);
  }
  assertMatch(await open("top"), /it is part of the same chain already/);
  const files = withFiles(top("../secret"));
  const allowed = { allowReference: ["/images"] };
  const image = await files.open("vmdk:dir/top", allowed);
  assertEquals([...await readBack(image.backend, 1, 1)], [0]);
  await image.close();
});

const child = (name: string, cid = "12345678") =>
  buildSparse({
    size: SIZE,
    grains: ["unallocated", "data", "zero"],
    descriptor: descriptorText([
      `parentCID=${cid}`,
      `parentFileNameHint="${name}"`,
    ]),
  });
const parent = buildSparse({
  size: SIZE,
  grains: ["data", "data", "data"],
  descriptor: descriptorText([]),
});

Deno.test("a parent has what an image has not", async () => {
  const { open, fake } = withFiles({
    "dir/top": child("low"),
    "dir/low": parent,
  });
  const image = await open("vmdk:dir/top");
  const bytes = await readBack(image.backend, 0, SIZE);
  const kinds = ["data", "data", "zero"] as const;
  const wanted = { size: SIZE, grains: kinds };
  assertEquals(bytes, Uint8Array.from(bytes, (_, i) => wantedByte(wanted, i)));
  await image.close();
  assertEquals(fake.openCount, 0);
});

Deno.test("a parent must be the right one, and one that may be used", async () => {
  const low = parent;
  assertMatch(
    await refusal({ top: child("low", "9"), low }),
    /low as vmdk: it was changed since .* wants the CID 9 and finds 12345678/,
  );
  assertMatch(
    await refusal({ "dir/top": child("../low"), low }, {}, "vmdk:dir/top"),
    /^Cannot open the parent ".*" of .*: it is \/images\/low, outside/,
  );
  assertMatch(
    await refusal({ top: child("top") }),
    /it is part of the same chain already/,
  );
  assertMatch(await refusal({ top: child("nbd://x/") }), /it is not a path/);
  const { open } = withFiles({ top: child("gone"), low });
  const image = await open("vmdk:top", { backing: "vmdk:low" });
  assertEquals([...await readBack(image.backend, 1, 1)], [
    wantedByte({ size: 1 }, 1),
  ]);
  await image.close();
});

Deno.test("a VMDK image has no snapshots and is not written to", async () => {
  const files = { top: buildSparse({ size: SIZE }) };
  assertMatch(
    await refusal(files, { snapshot: "one" }),
    /a VMDK image has no snapshots in it/,
  );
  assertMatch(await refusal(files, { writable: true }), /it is read-only/);
});

Deno.test("describeVmdk() tells what an image says", async () => {
  const { open } = withFiles({ flat: flat("a\u001b"), top: child("low") });
  const facts = async (path: string) => {
    const image = await open(path);
    const said = await describeVmdk(image.backend, path);
    await image.close();
    return said;
  };
  assertEquals(await facts("flat"), {
    size: 4096,
    createType: "monolithicFlat",
    version: null,
    grainSize: null,
    isCompressed: false,
    cid: "12345678",
    parentCid: null,
    parentName: null,
    extents: [{ type: "FLAT", size: 4096, name: "a\u001b", offset: 0 }],
  });
  const { parentName, parentCid, grainSize } = await facts("top");
  assertEquals([parentName, parentCid, grainSize], ["low", "12345678", GRAIN]);
});
