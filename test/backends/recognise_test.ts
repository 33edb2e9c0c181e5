import { assert, assertEquals, assertMatch } from "@std/assert";
import { zstdCompressSync } from "node:zlib";
import {
  adviceOn,
  sourceOf,
} from "../../src/backends/formats/known_formats.ts";
import { recognise } from "../../src/backends/formats/recognise.ts";
import { openImage } from "../../src/backends/open_image.ts";
import { FakeFiles } from "./_fake_files.ts";
import type { SocketService } from "../../src/backends/services.ts";
import { imageOptions } from "./_image_options.ts";
import { ModelWebServer } from "./http/_model_server.ts";
import { ModelServer } from "./nbd/_model_server.ts";
import { buildTar, ovfText } from "./ova/_build_ova.ts";
import { buildImage } from "./qcow2/_build_image.ts";
import { buildVhd } from "./vhd/_build_vhd.ts";
import { buildVhdx } from "./vhdx/_build_vhdx.ts";
import { buildSparse } from "./vmdk/_build_vmdk.ts";
import { buildZst } from "./zst/_build_zst.ts";

const SIZE = 40_960;
const VMDK = buildSparse({ size: SIZE, grains: [], grainSize: 8192 });

/** What a file looks like, and what opens it. */
async function likeness(
  bytes: Uint8Array,
  path: string = "disk",
  others: readonly string[] = [],
) {
  const files = new FakeFiles();
  files.write(path, bytes);
  for (const other of others) files.write(other, new Uint8Array(512));
  const services = files.services();
  const { backend, close } = await openImage(path, imageOptions, services);
  const format = await recognise(backend, path, files);
  await close();
  assertEquals(files.openCount, 0);
  if (format === null) return null;
  return [format.name, sourceOf(format, path) ?? adviceOn(format)];
}

Deno.test("a fixed VHD is recognised by its end, a damaged one by what is left", async () => {
  const fixed = buildVhd({ size: SIZE, kind: "fixed" });
  assertEquals(await likeness(fixed), ["VHD", "vhd:disk"]);
  // Virtual PC's images before 2004 have a footer of 511 bytes.
  const old = ["VHD", "vhd:disk"];
  assertEquals(await likeness(fixed.subarray(0, fixed.length - 1)), old);
  const dynamic = buildVhd({ size: SIZE, kind: "dynamic" });
  assertEquals(await likeness(dynamic), ["VHD", "vhd:disk"]);
  assertEquals(await likeness(dynamic.fill(0, 0, 512)), ["VHD", "vhd:disk"]);
  fixed[SIZE + 100]! ^= 1;
  assertEquals(await likeness(fixed), null, "the checksum is wrong");
});

Deno.test("archives are recognised, and those of a virtual machine", async () => {
  const disks = ["a.vmdk", "b.vmdk"];
  const members = disks.map((name) => [name, VMDK] as const);
  const one = buildTar([["v.ovf", ovfText(["a.vmdk"])], ...members]);
  assertEquals(await likeness(one), ["OVA", "ova:disk"]);
  const two = buildTar([["v.ovf", ovfText(disks)], ...members]);
  assertEquals(await likeness(two), ["OVA", "ova:disk#1"]);
  const late = buildTar([...members, ["v.ovf", ovfText(["b.vmdk"])]]);
  assertEquals(await likeness(late), ["OVA", "ova:disk"]);
  const [name, advice] = (await likeness(buildTar(members)))!;
  assertEquals(name, "tar");
  assertMatch(advice!, /'tar -xf'/);
  // It is not whole, which the driver says.
  assertEquals(await likeness(one.subarray(0, 600)), ["OVA", "ova:disk"]);
});

Deno.test("zstd is recognised, and whether it can be read at any place", async () => {
  const bytes = new Uint8Array(SIZE);
  const seekable = buildZst(bytes, { frames: [4096] });
  assertEquals(await likeness(seekable), ["zstd", "zst:disk"]);
  // The driver says what is wrong with the table.
  seekable[seekable.length - 9]! ^= 1;
  assertEquals(await likeness(seekable), ["zstd", "zst:disk"]);
  const [name, advice] = (await likeness(zstdCompressSync(bytes)))!;
  assertEquals(name, "zstd");
  assertMatch(advice!, /unpack it with 'zstd -d'/);
});

Deno.test("a VHDX is recognised though one of its headers is damaged", async () => {
  const image = buildVhdx({ size: SIZE });
  image.fill(0, 65_536, 66_000);
  assertEquals(await likeness(image), ["VHDX", "vhdx:disk"]);
});

Deno.test("the first piece of an image is recognised if the next one is there", async () => {
  const bytes = new Uint8Array(SIZE);
  for (
    const [first, next] of [
      ["disk.img.001", "disk.img.002"],
      ["disk.img.00", "disk.img.01"],
      ["disk.img.aa", "disk.img.ab"],
      ["disk.img.part1", "disk.img.part2"],
    ] as const
  ) {
    const known = ["parts", `parts:${first}`];
    assertEquals(await likeness(bytes, first, [next]), known);
    assertEquals(await likeness(bytes, first), null, first);
  }
  // Disks and partitions are called so.
  assertEquals(await likeness(bytes, "sda1", ["sda2"]), null);
  assertEquals(await likeness(bytes, "log.1", ["log.2"]), null);
  // The format of the first piece says more.
  const [name] = (await likeness(VMDK, "d.001", ["d.002"]))!;
  assertEquals(name, "VMDK");
});

Deno.test("what is packed, or of a format that nothing opens, has advice", async () => {
  const withText = (text: string, at: number) => {
    const bytes = new Uint8Array(2048);
    bytes.set([...text].map((each) => each.charCodeAt(0)), at);
    return bytes;
  };
  for (
    const [text, at, name, advice] of [
      ["\x1f\x8b\x08", 0, "gzip", /gzip -d/],
      ["\xfd7zXZ\0", 0, "xz", /xz -d/],
      ["PK\x03\x04", 0, "zip", /unzip/],
      ["EVF\x09\x0d\x0a\xff\0", 0, "E01", /ewfexport/],
      ["koly\0\0\0\x04", 1536, "DMG", /qemu-img convert/],
      ["WithouFreSpacExt", 0, "Parallels", /qemu-img convert/],
    ] as const
  ) {
    const found = (await likeness(withText(text, at)))!;
    assertEquals(found[0], name);
    assertMatch(found[1]!, advice);
  }
});

Deno.test("file systems, partition tables and encryption are no formats", async () => {
  const disk = new Uint8Array(65_536);
  assertEquals(await likeness(disk), null);
  disk.set([0x55, 0xaa], 510);
  disk.set(new TextEncoder().encode("CD001"), 32_769);
  assertEquals(await likeness(disk), null);
  disk.set([0x4c, 0x55, 0x4b, 0x53, 0xba, 0xbe]);
  assertEquals(await likeness(disk), null);
});

Deno.test("exporting what is recognised as raw gives notice", async () => {
  const files = new FakeFiles();
  files.write("disk", buildVhd({ size: SIZE, kind: "fixed" }));
  files.write("d.001", new Uint8Array(512));
  files.write("d.002", new Uint8Array(512));
  files.write("d.img.gz", Uint8Array.of(0x1f, 0x8b, 8, 0));
  const noticeOf = async (source: string) => {
    const image = await openImage(source, imageOptions, files.services());
    await image.close();
    return image.notice;
  };
  const told = (what: string, how: string) =>
    `/images/${what}, but it is exported as a raw image; to export the disk in it, ${how}`;
  assertEquals(
    await noticeOf("disk"),
    told(
      "disk looks like an image in the format VHD",
      "export vhd:/images/disk",
    ),
  );
  assertEquals(await noticeOf("vhd:disk"), null);
  assertEquals(
    await noticeOf("d.001"),
    told(
      "d.001 looks like the first piece of a split image",
      "export parts:/images/d.001",
    ),
  );
  assertEquals(await noticeOf("parts:d.001"), null);
  assertEquals(
    await noticeOf("d.img.gz"),
    told(
      "d.img.gz looks like a gzip file",
      "unpack it with 'gzip -d' and export the result",
    ),
  );
});

/** A disk that begins with the start of a qcow2 image. */
const QCOW2 = buildImage({ size: 1 << 20 });
const SERVERS: readonly (readonly [string, SocketService])[] = [
  ["http://server/disk.img", new ModelWebServer(QCOW2)],
  ["https://server/disk.001", new ModelWebServer(QCOW2)],
  ["s3://bucket/disk.img", new ModelWebServer(QCOW2)],
  ["nbd://server/disk", nbdServerOf(QCOW2)],
];

function nbdServerOf(bytes: Uint8Array): ModelServer {
  const server = new ModelServer({ size: bytes.length, structured: true });
  server.bytes = bytes.slice();
  return server;
}

for (const [source, sockets] of SERVERS) {
  Deno.test(`${source} gives notice of the format that it begins with`, async () => {
    const services = { ...new FakeFiles().services(), sockets };
    const noticeOf = async (text: string, offset = 0) => {
      const options = { ...imageOptions, offset };
      const image = await openImage(text, options, services);
      await image.close();
      return image.notice;
    };
    assertEquals(
      await noticeOf(source),
      `${source} looks like an image in the format qcow2, but it is exported as a raw image; to export the disk in it, export qcow2:${source}`,
    );
    assertEquals(await noticeOf(`qcow2:${source}`), null);
    assertEquals(await noticeOf(source, 4096), null);
  });
}

Deno.test("a URL that begins like no format has no notice, and one request", async () => {
  const server = new ModelWebServer(new Uint8Array(1 << 20));
  const services = { ...new FakeFiles().services(), sockets: server };
  const source = "http://server/disk.001";
  const image = await openImage(source, imageOptions, services);
  await image.close();
  assertEquals(image.notice, null);
  const read = server.requests.flatMap(({ range }) => range ?? []);
  assert(Math.max(...read) < 1 << 19, "its end is not read");
});

Deno.test("what is in pieces, or compressed, gives notice of its format", async () => {
  const files = new FakeFiles();
  files.write("d.001", QCOW2.subarray(0, 100));
  files.write("d.002", QCOW2.subarray(100));
  files.write("d.zst", buildZst(QCOW2, { frames: [65_536] }));
  for (const source of ["parts:d.001", "zst:d.zst"]) {
    const image = await openImage(source, imageOptions, files.services());
    await image.close();
    const [prefix, path] = source.split(":");
    const name = prefix === "zst" ? `/images/${path}` : path;
    assertMatch(
      image.notice ?? "",
      new RegExp(` looks like .* qcow2,.* export qcow2:${prefix}:${name}$`),
    );
    const disk = await openImage(
      `qcow2:${source}`,
      imageOptions,
      files.services(),
    );
    await disk.close();
    assertEquals([disk.notice, disk.stat.size], [null, 1 << 20]);
  }
});
