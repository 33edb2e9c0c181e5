/** Overlays that are committed, rebased and resized, as QEMU reads them. */
import { assertEquals, assertMatch, assertRejects } from "@std/assert";
import { commitImage } from "../../../src/backends/commit_image.ts";
import type { CopyWatch } from "../../../src/backends/copy_watch.ts";
import { rebaseImage } from "../../../src/backends/rebase_image.ts";
import { resizeImage } from "../../../src/backends/resize_image.ts";
import { UserError } from "../../../src/base/user_error.ts";
import { driverServices } from "../../../src/session/driver_services.ts";
import { QemuTools } from "../../oracle/tools.ts";
import { verdictOn } from "../../oracle/verdict.ts";
import { type Random, withSeeds } from "../../_random.ts";
import { testIf } from "../../requirements.ts";
import { inDirectory, MISSING, qemu } from "./_qemu.ts";

const KIB = 1024;
const WATCH: CopyWatch = {
  signal: new AbortController().signal,
  progress: () => Promise.resolve(),
};
const SERVICES = driverServices({});
const TOOLS = new QemuTools();

/** Writes, zeroes and discards at random, by QEMU. */
async function scribble(
  directory: string,
  image: string,
  size: number,
  random: Random,
): Promise<void> {
  const commands = Array.from({ length: 6 }, () => {
    const length = 512 * (1 + random.below(300));
    const at = 512 * random.below((size - length) / 512);
    return random.oneIn(3)
      ? `write -z${random.oneIn(2) ? "u" : ""} ${at} ${length}`
      : `write -P ${1 + random.below(255)} ${at} ${length}`;
  });
  const format = image.endsWith(".raw") ? "raw" : "qcow2";
  await TOOLS.io(directory, image, commands, format);
}

/** The bytes that QEMU reads of an image. */
async function bytesOf(directory: string, image: string): Promise<Uint8Array> {
  const args = image.endsWith(".raw") ? ["-f", "raw"] : ["-f", "qcow2"];
  await qemu(
    directory,
    "qemu-img",
    "convert",
    ...args,
    "-O",
    "raw",
    image,
    "out",
  );
  return await Deno.readFile(`${directory}/out`);
}

function assertBytes(got: Uint8Array, wanted: Uint8Array, what: string): void {
  const at = wanted.findIndex((byte, i) => byte !== got[i]);
  assertEquals([got.length, at], [wanted.length, -1], what);
}

async function assertSound(directory: string, image: string): Promise<void> {
  const verdict = await verdictOn(TOOLS, directory, image);
  assertEquals(verdict, { corruptions: 0, leaks: 0 }, image);
}

/** A base and an overlay on it, of sizes that may differ. */
async function makeChain(
  directory: string,
  base: string,
  options: string,
  random: Random,
): Promise<number> {
  const sizes = [900, 1024, 1100].map((kib) => kib * KIB);
  const [below, above] = [random.pick(sizes), random.pick(sizes)];
  const format = base.endsWith(".raw") ? "raw" : "qcow2";
  await qemu(
    directory,
    "qemu-img",
    "create",
    "-q",
    "-f",
    format,
    base,
    `${below}`,
  );
  await scribble(directory, base, below, random);
  const create = ["create", "-q", "-f", "qcow2", "-o", options];
  const backing = ["-b", base, "-F", format];
  await qemu(
    directory,
    "qemu-img",
    ...create,
    ...backing,
    "top.qcow2",
    `${above}`,
  );
  await scribble(directory, "top.qcow2", above, random);
  return above;
}

const OPTIONS: readonly string[] = [
  "cluster_size=64k",
  "cluster_size=4k",
  "cluster_size=16k,extended_l2=on",
  "cluster_size=512",
];

testIf(
  MISSING,
  "commitImage() leaves an overlay empty, and both reading as before",
  () =>
    withSeeds([1, 2, 3, 4, 5, 6], (random) =>
      inDirectory(async (directory) => {
        const base = random.pick(["base.raw", "base.qcow2"]);
        await makeChain(directory, base, random.pick(OPTIONS), random);
        const wanted = await bytesOf(directory, "top.qcow2");
        const before = await bytesOf(directory, base);
        const top = `qcow2:${directory}/top.qcow2`;
        const keep = random.oneIn(3);
        const how = { keep, allowReference: [] };
        await commitImage(top, how, SERVICES, WATCH);
        assertBytes(
          await bytesOf(directory, "top.qcow2"),
          wanted,
          "the overlay",
        );
        const below = await bytesOf(directory, base);
        const size = Math.max(wanted.length, before.length);
        const both = new Uint8Array(size);
        both.set(before);
        both.set(wanted);
        assertBytes(below, both, "the image below");
        await assertSound(directory, "top.qcow2");
        if (base === "base.qcow2") await assertSound(directory, base);
        const map = await qemu(
          directory,
          "qemu-img",
          "map",
          "--output=json",
          "top.qcow2",
        );
        const own = JSON.parse(map).filter((
          { depth, present }: { depth: number; present?: boolean },
        ) => depth === 0 && present !== false);
        // What lies after the end of the image below is in none of them.
        if (!keep && below.length <= wanted.length) {
          assertEquals(own.length <= 1, true, map);
        }
      })),
);

testIf(
  MISSING,
  "rebaseImage() changes what is below an image, and not what it reads as",
  () =>
    withSeeds(
      [1, 2, 3, 4, 5, 6, 7, 8],
      (random) =>
        inDirectory(async (directory) => {
          const base = random.pick(["base.raw", "base.qcow2"]);
          await makeChain(directory, base, random.pick(OPTIONS), random);
          const wanted = await bytesOf(directory, "top.qcow2");
          const size = random.pick([700, 1000, 1300]) * KIB;
          await qemu(
            directory,
            "qemu-img",
            "create",
            "-q",
            "-f",
            "qcow2",
            "new.qcow2",
            `${size}`,
          );
          await scribble(directory, "new.qcow2", size, random);
          const top = `qcow2:${directory}/top.qcow2`;
          const backings = random.pick([
            ["new"],
            [null],
            ["new", null],
            ["new", "old"],
            [null, "new"],
          ]);
          for (const each of backings) {
            const backing = each === null
              ? null
              : each === "new"
              ? `qcow2:${directory}/new.qcow2`
              : `${base === "base.raw" ? "raw" : "qcow2"}:${directory}/${base}`;
            const how = { backing, unsafe: false, allowReference: [] };
            await rebaseImage(top, how, SERVICES, WATCH);
            const name = backing?.replace(/.*\//, "") ?? null;
            const info = JSON.parse(
              await qemu(
                directory,
                "qemu-img",
                "info",
                "--output=json",
                "top.qcow2",
              ),
            );
            assertEquals(info["backing-filename"] ?? null, name);
            assertBytes(
              await bytesOf(directory, "top.qcow2"),
              wanted,
              `${backing}`,
            );
            await assertSound(directory, "top.qcow2");
          }
        }),
    ),
);

testIf(
  MISSING,
  "rebaseImage() compares nothing if it is told so",
  () =>
    inDirectory(async (directory) => {
      const create = ["create", "-q", "-f", "qcow2"];
      await qemu(directory, "qemu-img", ...create, "base.qcow2", "1M");
      await qemu(
        directory,
        "qemu-img",
        ...create,
        "-b",
        "base.qcow2",
        "-F",
        "qcow2",
        "top.qcow2",
      );
      await Deno.mkdir(`${directory}/moved`);
      await Deno.rename(
        `${directory}/base.qcow2`,
        `${directory}/moved/b.qcow2`,
      );
      const top = `qcow2:${directory}/top.qcow2`;
      const backing = `qcow2:${directory}/moved/b.qcow2`;
      const how = { backing, unsafe: true, allowReference: [] };
      await rebaseImage(top, how, SERVICES, WATCH);
      await qemu(
        directory,
        "qemu-img",
        "compare",
        "top.qcow2",
        "moved/b.qcow2",
      );
      await assertRejects(
        () =>
          rebaseImage(
            top,
            { ...how, backing: top, unsafe: false },
            SERVICES,
            WATCH,
          ),
        UserError,
        "it is part of that chain itself",
      );
    }),
);

testIf(
  MISSING,
  "rebaseImage() copies nothing if the new path cannot be recorded",
  () =>
    inDirectory(async (directory) => {
      const create = ["create", "-q", "-f", "qcow2"];
      await qemu(directory, "qemu-img", ...create, "base.qcow2", "1M");
      await qemu(directory, "qemu-io", "-c", "write -P 7 0 64k", "base.qcow2");
      const small = ["-o", "cluster_size=512"];
      const below = ["-b", "base.qcow2", "-F", "qcow2"];
      await qemu(
        directory,
        "qemu-img",
        ...create,
        ...small,
        ...below,
        "top.qcow2",
      );
      // It does not fit into the first cluster.
      const long = `${directory}/${"x".repeat(200)}/${"y".repeat(200)}`;
      await Deno.mkdir(long, { recursive: true });
      await Deno.writeFile(`${long}/new.raw`, new Uint8Array(1 << 20));
      const before = await Deno.readFile(`${directory}/top.qcow2`);
      await assertRejects(
        () =>
          rebaseImage(
            `qcow2:${directory}/top.qcow2`,
            {
              backing: `raw:${long}/new.raw`,
              unsafe: false,
              allowReference: [],
            },
            SERVICES,
            WATCH,
          ),
        UserError,
        "the path does not fit into its first cluster",
      );
      assertEquals(await Deno.readFile(`${directory}/top.qcow2`), before);
    }),
);

testIf(
  MISSING,
  "resizeImage() needs to be told before it cuts off",
  () =>
    inDirectory(async (directory) => {
      await qemu(
        directory,
        "qemu-img",
        "create",
        "-q",
        "-f",
        "qcow2",
        "a.qcow2",
        "1M",
      );
      await qemu(directory, "qemu-io", "-c", "write -P 7 0 1M", "a.qcow2");
      await qemu(
        directory,
        "qemu-img",
        "convert",
        "-O",
        "raw",
        "a.qcow2",
        "a.raw",
      );
      for (const source of ["qcow2:a.qcow2", "a.raw"]) {
        const at = source.replace(/^(qcow2:)?/, `$1${directory}/`);
        const resize = (size: number, shrink: boolean) =>
          resizeImage(at, { size, shrink, allowReference: [] }, SERVICES);
        assertEquals(await resize(3 << 20, false), 1 << 20);
        await assertRejects(
          () => resize(512 * KIB, false),
          UserError,
          "would be lost; use --shrink",
        );
        assertEquals(await resize(512 * KIB, true), 3 << 20);
        assertEquals(await resize(2 << 20, false), 512 * KIB);
        const name = source.replace("qcow2:", "");
        const wanted = new Uint8Array(2 << 20);
        wanted.fill(7, 0, 512 * KIB);
        assertBytes(await bytesOf(directory, name), wanted, source);
      }
      await assertSound(directory, "a.qcow2");
      await qemu(directory, "qemu-img", "snapshot", "-c", "one", "a.qcow2");
      await assertRejects(
        () =>
          resizeImage(
            `qcow2:${directory}/a.qcow2`,
            { size: 4 << 20, shrink: false, allowReference: [] },
            SERVICES,
          ),
        UserError,
        "it has snapshots",
      );
    }),
);

Deno.test("commands for qcow2 images say what another source is, and what to do", async () => {
  for (
    const [source, said] of [
      [
        "a.img",
        /^Cannot commit a.img: it is taken for a raw image, .* name it as qcow2:a.img$/,
      ],
      [
        "vmdk:a",
        /^Cannot commit vmdk:a: it is a vmdk image, .* 'convert vmdk:a qcow2:PATH'$/,
      ],
      [
        "memory:1M",
        /^Cannot commit memory:1M: it is not in a file of this machine; /,
      ],
      [
        "qcow2:nbd://host/",
        /^Cannot commit qcow2:nbd:.*: it is not in a file of this/,
      ],
    ] as const
  ) {
    const how = { keep: false, allowReference: [] };
    const { message } = await assertRejects(
      () => commitImage(source, how, SERVICES, WATCH),
      UserError,
    );
    assertMatch(message, said);
  }
});
