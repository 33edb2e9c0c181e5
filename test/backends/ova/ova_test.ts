/** Disks in archives of virtual machines. */
import { assertEquals, assertMatch, assertRejects } from "@std/assert";
import { openImage } from "../../../src/backends/open_image.ts";
import { UserError } from "../../../src/base/user_error.ts";
import { testIf } from "../../requirements.ts";
import { FakeFiles } from "../_fake_files.ts";
import { readBack } from "../_image.ts";
import { imageOptions } from "../_image_options.ts";
import { assertSameBytes, inDirectory, MISSING, qemu } from "../qcow2/_qemu.ts";
import {
  buildSparse,
  descriptorText,
  wantedByte,
} from "../vmdk/_build_vmdk.ts";
import { buildTar, type Member, ovfText } from "./_build_ova.ts";

const SIZE = 200_192;
const plan = { size: SIZE, isCompressed: true, grains: ["data"] } as const;
const one = buildSparse(plan);
const two = buildSparse({ ...plan, grains: ["zero", "data"] });

function opened(bytes: Uint8Array, source = "ova:a") {
  const files = new FakeFiles();
  files.write("a", bytes);
  return openImage(source, imageOptions, files.services());
}

async function refusal(bytes: Uint8Array, source?: string): Promise<string> {
  const error = await assertRejects(() => opened(bytes, source), UserError);
  return error.message;
}

const MACHINE: readonly Member[] = [
  ["vm.ovf", ovfText(["two.vmdk", "one.vmdk"])],
  ["one.vmdk", one],
  ["two.vmdk", two],
];

Deno.test("the disks of an archive have the numbers of its descriptor", async () => {
  const tar = buildTar(MACHINE);
  for (
    const [source, grains] of [
      ["ova:a#1", ["zero", "data"]],
      ["ova:a#2", ["data"]],
    ] as const
  ) {
    const image = await opened(tar, source);
    const got = await readBack(image.backend, 0, SIZE);
    const wanted = got.map((_, i) => wantedByte({ ...plan, grains }, i));
    assertEquals(got, wanted);
    await image.close();
  }
});

Deno.test("one of several disks has to be chosen", async () => {
  const tar = buildTar(MACHINE);
  assertMatch(
    await refusal(tar),
    /it has several disks: #1 two.vmdk \(.*\), #2 one.vmdk .*; choose one, such as ova:a#1/,
  );
  assertMatch(
    await refusal(tar, "ova:a#3"),
    /it has no disk #3; choose one of #1/,
  );
  const single = buildTar([["x.ovf", ovfText(["one.vmdk"])], [
    "one.vmdk",
    one,
  ]]);
  const image = await opened(single);
  assertEquals(image.stat.size, SIZE);
  await image.close();
});

Deno.test("what is no archive of a machine is refused", async () => {
  const tar = buildTar(MACHINE);
  const noOvf = buildTar([["one.vmdk", one]]);
  assertMatch(await refusal(noOvf), /it has no OVF descriptor/);
  const noDisk = buildTar([["vm.ovf", ovfText(["gone.vmdk"])]]);
  assertMatch(await refusal(noDisk), /names no disk that is in it/);
  assertMatch(await refusal(new Uint8Array(2048)), /no OVF descriptor/);
  assertMatch(await refusal(tar.slice(0, 9000)), /is not whole/);
  const damaged = tar.slice();
  damaged[3]! ^= 1;
  assertMatch(await refusal(damaged), /the tar header at byte 0 is damaged/);
});

Deno.test("a disk in an archive may not lead to other files", async () => {
  const flat = descriptorText(['RW 8 FLAT "/etc/hostname" 0'], "custom");
  const child = buildSparse({
    size: SIZE,
    descriptor: descriptorText([
      "parentCID=1",
      'parentFileNameHint="one.vmdk"',
    ]),
  });
  const refusals = [
    [flat, /the extent "\/etc\/hostname" of .*: it is a path of the machine/],
    [child, /the parent "one.vmdk" of .*: the image is in no directory/],
  ] as const;
  for (const [bytes, expected] of refusals) {
    const tar = buildTar([["v.ovf", ovfText(["d.vmdk"])], ["d.vmdk", bytes]]);
    assertMatch(await refusal(tar), expected);
  }
});

Deno.test("a disk ends where its member does", async () => {
  const plain = { size: SIZE, grains: ["data", "data"] } as const;
  const cut = buildSparse(plain).slice(0, -70_000);
  const tar = buildTar([
    ["v.ovf", ovfText(["d.vmdk"])],
    ["d.vmdk", cut],
    ["more", new Uint8Array(200_000).fill(9)],
  ]);
  const image = await opened(tar);
  const buffer = new Uint8Array(512);
  assertEquals(await image.backend.read(130_000, buffer, 0, 512), -5);
  await image.close();
});

testIf(
  MISSING,
  "a disk that QEMU and tar have packed reads as its source",
  () =>
    inDirectory(async (directory) => {
      const disk = new Uint8Array(1_000_448);
      crypto.getRandomValues(disk.subarray(70_000, 130_000));
      await Deno.writeFile(`${directory}/a.raw`, disk);
      const kind = "subformat=streamOptimized";
      const convert = ["convert", "-O", "vmdk", "-o", kind, "a.raw", "d.vmdk"];
      await qemu(directory, "qemu-img", ...convert);
      await Deno.writeTextFile(`${directory}/v.ovf`, ovfText(["d.vmdk"]));
      for (const format of ["ustar", "gnu", "pax"]) {
        const args = [
          "-cf",
          "a.ova",
          `--format=${format}`,
          "./v.ovf",
          "d.vmdk",
        ];
        const tar = new Deno.Command("tar", { args, cwd: directory });
        assertEquals((await tar.output()).success, true);
        await assertSameBytes(`ova:${directory}/a.ova`, disk);
      }
    }),
);
