/** Images that QEMU's tools made, of every kind, byte for byte. */
import { assert } from "@std/assert";
import type { ImageOptions } from "../../../src/backends/driver.ts";
import { parseSize } from "../../../src/backends/size.ts";
import { type Random, randomly } from "../../_random.ts";
import { testIf } from "../../requirements.ts";
import { assertSameBytes, inDirectory, MISSING, qemu } from "./_qemu.ts";

/** Options of `qemu-img create -o`, each with data in every state. */
const KINDS: readonly string[] = [
  "cluster_size=512",
  "cluster_size=4k",
  "cluster_size=64k",
  "cluster_size=2M",
  "compat=0.10",
  "compat=0.10,cluster_size=1k",
  "refcount_bits=1",
  "refcount_bits=64",
  "lazy_refcounts=on",
  "compression_type=zstd",
  "compression_type=zstd,cluster_size=512",
  "extended_l2=on",
  "extended_l2=on,cluster_size=16k",
  "extended_l2=on,cluster_size=2M",
  "extended_l2=on,compression_type=zstd",
  "data_file=data.img",
  "data_file=data.img,data_file_raw=on",
  "data_file=data.img,extended_l2=on",
  "preallocation=metadata",
  "preallocation=falloc,cluster_size=8k",
];

/**
 * Brings clusters into every state, at random. What is compressed is written by
 * a process of its own: QEMU 7.2 would share a cluster that was discarded.
 */
async function change(
  directory: string,
  image: string,
  { random, size, kind }: { random: Random; size: number; kind: string },
): Promise<void> {
  if (!kind.includes("data_file")) {
    const cluster = parseSize(/cluster_size=(\w+)/.exec(kind)?.[1] ?? "64k");
    const clusters = Math.floor(size / cluster);
    const list = Array.from({ length: 15 }, () => {
      const at = random.below(clusters) * cluster;
      return `write -c -P ${1 + random.below(255)} ${at} ${cluster}`;
    });
    await qemuIo(directory, image, list);
  }
  const list = Array.from({ length: 40 }, () => {
    const unit = random.pick([512, 4096, 65_536]);
    const at = random.below(Math.floor(size / unit)) * unit;
    const most = Math.min(size - at, random.pick([unit, 300_000]));
    const length = Math.max(512, Math.floor(most / 512) * 512);
    const how = random.pick(["-z", "-z -u", `-P ${1 + random.below(255)}`]);
    return `write ${how} ${at} ${length}`;
  });
  const done = await qemuIo(directory, image, list);
  assert(done > 20, `${done} of ${list.length} writes`);
}

/** Runs commands of qemu-io; returns how many writes succeeded. */
async function qemuIo(
  directory: string,
  image: string,
  list: readonly string[],
): Promise<number> {
  const commands = list.flatMap((command) => ["-c", command]);
  const { stdout } = await new Deno.Command("timeout", {
    args: ["60", "qemu-io", "-f", "qcow2", ...commands, image],
    cwd: directory,
  }).output();
  const text = new TextDecoder().decode(stdout);
  return text.match(/^wrote /gm)?.length ?? 0;
}

/** Compares an image with what `qemu-img convert` makes of it. */
async function compare(
  directory: string,
  image: string,
  options: Partial<ImageOptions> = {},
  args: readonly string[] = [],
  size = Infinity,
): Promise<void> {
  const raw = `${directory}/wanted.raw`;
  const convert = ["convert", "-f", "qcow2", "-O", "raw", ...args];
  await qemu(directory, "qemu-img", ...convert, image, raw);
  // A snapshot keeps its size, while qemu-img goes on to that of today's disk.
  const wanted = (await Deno.readFile(raw)).subarray(0, size);
  await assertSameBytes(`qcow2:${directory}/${image}`, wanted, options);
  await Deno.remove(raw);
}

for (const kind of KINDS) {
  testIf(
    MISSING,
    `QEMU's image with ${kind} reads as QEMU reads it`,
    () =>
      randomly(1, (random) =>
        inDirectory(async (directory) => {
          const size = 3_000_320;
          await create(directory, "a.qcow2", size, kind);
          await change(directory, "a.qcow2", { random, size, kind });
          await compare(directory, "a.qcow2");
          await compare(directory, "a.qcow2", { cacheSize: 0 });
        })),
  );
}

async function create(
  directory: string,
  image: string,
  size: number,
  kind: string,
  ...args: string[]
): Promise<void> {
  const create = ["create", "-q", "-f", "qcow2", "-o", kind, ...args];
  await qemu(directory, "qemu-img", ...create, image, `${size}`);
}

for (const kind of ["cluster_size=64k", "compression_type=zstd"]) {
  testIf(
    MISSING,
    `an image that was compressed with ${kind} is read`,
    () =>
      inDirectory(async (directory) => {
        const bytes = new Uint8Array(2_000_384);
        for (let at = 0; at < bytes.length; at += 65_536) {
          crypto.getRandomValues(bytes.subarray(at, at + at % 50_000));
        }
        await Deno.writeFile(`${directory}/a.raw`, bytes);
        const args = ["convert", "-c", "-O", "qcow2", "-o", kind];
        await qemu(directory, "qemu-img", ...args, "a.raw", "a.qcow2");
        await assertSameBytes(`qcow2:${directory}/a.qcow2`, bytes);
      }),
  );
}

testIf(
  MISSING,
  "chains of QEMU's images read as QEMU reads them",
  () =>
    randomly(2, (random) =>
      inDirectory(async (directory) => {
        // Shorter, longer and unaligned images below each other.
        const sizes = [1_000_448, 3_000_320, 1_500_160, 2_000_384];
        const base = random.bytes(sizes[0]! - 300);
        await Deno.writeFile(`${directory}/0.img`, base);
        for (let i = 1; i < sizes.length; i++) {
          const below = i === 1 ? "raw" : "qcow2";
          const kind = random.pick([
            "cluster_size=64k",
            "cluster_size=512",
            "compat=0.10",
            "extended_l2=on",
          ]);
          const args = ["-b", `${i - 1}.img`, "-F", below];
          await create(directory, `${i}.img`, sizes[i]!, kind, ...args);
          const size = sizes[i]!;
          await change(directory, `${i}.img`, { random, size, kind });
          await compare(directory, `${i}.img`);
        }
        await compare(directory, "3.img", { cacheSize: 0 });
      })),
);

testIf(
  MISSING,
  "internal snapshots read as QEMU reads them",
  () =>
    randomly(1, (random) =>
      inDirectory(async (directory) => {
        const size = 2_000_384;
        const image = "a.qcow2";
        const kind = "cluster_size=16k";
        await create(directory, image, size, kind);
        for (const name of ["one", "two", "2"]) {
          await change(directory, image, { random, size, kind });
          await qemu(directory, "qemu-img", "snapshot", "-c", name, image);
        }
        await qemu(directory, "qemu-img", "resize", "-q", image, "3M");
        await change(directory, image, { random, size, kind });
        for (const name of ["one", "two", "3"]) {
          const args = [
            "-l",
            name === "3" ? "snapshot.id=3" : `snapshot.name=${name}`,
          ];
          await compare(directory, image, { snapshot: name }, args, size);
        }
        await compare(directory, image);
      })),
);
