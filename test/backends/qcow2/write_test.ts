/** Random changes of images, against a model, qemu-img and qemu-io. */
import { assert, assertEquals } from "@std/assert";
import type { Backend } from "../../../src/backends/backend.ts";
import type { ImageOptions } from "../../../src/backends/driver.ts";
import { type Random, randomly } from "../../_random.ts";
import { testIf } from "../../requirements.ts";
import { inDirectory, MISSING, openReal, qemu } from "./_qemu.ts";

/** Options of `qemu-img create -o`. */
const KINDS: readonly string[] = [
  "cluster_size=512",
  "cluster_size=4k",
  "cluster_size=64k",
  "cluster_size=2M",
  "compat=0.10",
  "compat=0.10,cluster_size=1k",
  "refcount_bits=1",
  "refcount_bits=2,cluster_size=1k",
  "refcount_bits=4,cluster_size=512",
  "refcount_bits=8",
  "refcount_bits=32,cluster_size=512",
  "refcount_bits=64,cluster_size=512",
  "lazy_refcounts=on",
  "compression_type=zstd",
  "extended_l2=on",
  "extended_l2=on,cluster_size=16k",
  "data_file=data.img",
  "data_file=data.img,data_file_raw=on",
  "data_file=data.img,extended_l2=on",
  "preallocation=metadata",
];

const SIZE = 3_000_320;

async function change(
  backend: Backend,
  model: Uint8Array,
  random: Random,
  steps: number,
): Promise<void> {
  const size = model.length;
  const data = random.bytes(400_000);
  for (let step = 0; step < steps; step++) {
    const unit = random.pick([1, 512, 4096, 65_536]);
    const position = random.below(Math.floor(size / unit)) * unit;
    const most = random.pick([unit, 10_000, 400_000]);
    const length = 1 + random.below(Math.min(most, size - position));
    const kind = random.below(10);
    if (kind === 0) {
      assertEquals(await backend.flush(), 0);
    } else if (kind <= 3) {
      const unmap = random.oneIn(2);
      const result = await backend.zero(position, length, { unmap });
      if (unmap && result === -95) continue;
      assertEquals(result, 0);
      model.fill(0, position, position + length);
    } else {
      const from = random.below(data.length - length);
      const put = await backend.write(position, data, from, length);
      assertEquals(put, length);
      model.set(data.subarray(from, from + length), position);
    }
    if (random.oneIn(4)) await assertReads(backend, model, position, length);
  }
}

async function assertReads(
  backend: Backend,
  model: Uint8Array,
  position: number,
  length: number,
): Promise<void> {
  const got = new Uint8Array(length);
  for (let done = 0; done < length;) {
    const at = position + done;
    const more = await backend.read(at, got, done, length - done);
    assert(more > 0, `${more} at ${at}`);
    done += more;
  }
  for (let i = 0; i < length; i++) {
    if (got[i] === model[position + i]) continue;
    throw new Error(`${got[i]} at ${position + i}, not ${model[position + i]}`);
  }
}

/** Asserts that QEMU finds no error, and the bytes of the model. */
async function agree(
  directory: string,
  image: string,
  model: Uint8Array,
): Promise<void> {
  await qemu(directory, "qemu-img", "check", "-q", image);
  await Deno.writeFile(`${directory}/model.raw`, model);
  const formats = ["-f", "raw", "-F", "qcow2"];
  await qemu(directory, "qemu-img", "compare", ...formats, "model.raw", image);
}

async function withImage(
  directory: string,
  image: string,
  options: Partial<ImageOptions>,
  body: (backend: Backend) => Promise<void>,
): Promise<void> {
  const source = `qcow2:${directory}/${image}`;
  const opened = await openReal(source, { writable: true, ...options });
  try {
    await body(opened.backend);
    assertEquals(await opened.backend.flush(), 0);
  } finally {
    await opened.close();
  }
}

/** Brings the image into states that only QEMU makes, and the model with it. */
async function changeByQemu(
  directory: string,
  image: string,
  model: Uint8Array,
  random: Random,
): Promise<void> {
  // QEMU 7.2 damages an image where one process both compresses and discards.
  for (const hows of [["", "-z ", "-z -u "], ["-c "], ["", "-z "]]) {
    const commands: string[] = [];
    for (let i = 0; i < 8; i++) {
      const unit = 65_536;
      const at = random.below(Math.floor(model.length / unit)) * unit;
      const byte = 1 + random.below(255);
      const how = random.pick(hows);
      const pattern = how.includes("z") ? "" : `-P ${byte} `;
      commands.push("-c", `write ${how}${pattern}${at} ${unit}`);
    }
    // QEMU does not compress what is allocated already.
    await new Deno.Command("qemu-io", {
      args: ["-f", "qcow2", ...commands, image],
      cwd: directory,
    }).output();
  }
  const raw = ["convert", "-f", "qcow2", "-O", "raw", image, "now.raw"];
  await qemu(directory, "qemu-img", ...raw);
  model.set(await Deno.readFile(`${directory}/now.raw`));
}

for (
  const kind of [
    "cluster_size=64k",
    "cluster_size=4k,compression_type=zstd",
    "cluster_size=512",
    "extended_l2=on",
  ]
) {
  testIf(
    MISSING,
    `QEMU agrees with what is written over its own data and snapshots, with ${kind}`,
    () =>
      randomly(1, (random) =>
        inDirectory(async (directory) => {
          const create = ["create", "-q", "-f", "qcow2", "-o", kind];
          const image = "a.qcow2";
          await qemu(directory, "qemu-img", ...create, image, `${SIZE}`);
          const model = new Uint8Array(SIZE);
          const kept: Uint8Array[] = [];
          for (let round = 0; round < 3; round++) {
            await changeByQemu(directory, image, model, random);
            await qemu(
              directory,
              "qemu-img",
              ...["snapshot", "-c", `s${round}`, image],
            );
            kept.push(model.slice());
            await withImage(
              directory,
              image,
              { cacheSize: random.pick([0, 1 << 20]) },
              (backend) => change(backend, model, random, 60),
            );
            await agree(directory, image, model);
          }
          for (const [i, bytes] of kept.entries()) {
            const args = ["convert", "-l", `snapshot.name=s${i}`, "-O", "raw"];
            await qemu(directory, "qemu-img", ...args, image, "s.raw");
            const got = await Deno.readFile(`${directory}/s.raw`);
            assert(
              got.every((byte, at) => byte === bytes[at]),
              `snapshot ${i}`,
            );
            await qemu(directory, "qemu-img", "snapshot", "-d", `s${i}`, image);
          }
          await agree(directory, image, model);
        })),
  );
}

for (const kind of ["cluster_size=64k", "compat=0.10", "extended_l2=on"]) {
  testIf(
    MISSING,
    `QEMU agrees with what is written over a backing file, with ${kind}`,
    () =>
      randomly(1, (random) =>
        inDirectory(async (directory) => {
          const below = random.bytes(1_500_160 - 300);
          await Deno.writeFile(`${directory}/below.raw`, below);
          const create = ["create", "-q", "-f", "qcow2", "-o", kind];
          const backing = ["-b", "below.raw", "-F", "raw", "a.qcow2"];
          const args = [...create, ...backing, `${SIZE}`];
          await qemu(directory, "qemu-img", ...args);
          const model = new Uint8Array(SIZE);
          model.set(below);
          for (const cacheSize of [0, 1 << 20]) {
            await withImage(
              directory,
              "a.qcow2",
              { cacheSize },
              (backend) => change(backend, model, random, 100),
            );
            await agree(directory, "a.qcow2", model);
          }
        })),
  );
}

for (
  const kind of [
    "cluster_size=512",
    "cluster_size=64k",
    "compat=0.10",
    "extended_l2=on",
    "data_file=data.img",
    "data_file=data.img,data_file_raw=on",
    "backing",
  ]
) {
  testIf(
    MISSING,
    `QEMU agrees after an image was resized, with ${kind}`,
    () =>
      randomly(1, (random) =>
        inDirectory(async (directory) => {
          const below = random.bytes(kind === "backing" ? 3_000_000 : 0);
          await Deno.writeFile(`${directory}/below.raw`, below);
          const create = ["create", "-q", "-f", "qcow2"];
          const args = kind === "backing"
            ? ["-b", "below.raw", "-F", "raw"]
            : ["-o", kind];
          let model = new Uint8Array(1_000_448);
          await qemu(
            directory,
            "qemu-img",
            ...[...create, ...args, "a.qcow2", `${model.length}`],
          );
          model.set(below.subarray(0, model.length));
          for (let round = 0; round < 6; round++) {
            await withImage(directory, "a.qcow2", {}, async (backend) => {
              await change(backend, model, random, 20);
              const size = 512 * (1 + random.below(10_000));
              assertEquals(await backend.truncate(size), 0);
              const resized = new Uint8Array(size);
              resized.set(model.subarray(0, size));
              model = resized;
              assertEquals((await backend.stat()).size, size);
              await change(backend, model, random, 20);
            });
            await agree(directory, "a.qcow2", model);
          }
        })),
  );
}

for (const kind of KINDS) {
  testIf(
    MISSING,
    `QEMU agrees with what is written to an image with ${kind}`,
    () =>
      randomly(1, (random) =>
        inDirectory(async (directory) => {
          const create = ["create", "-q", "-f", "qcow2", "-o", kind];
          await qemu(directory, "qemu-img", ...create, "a.qcow2", `${SIZE}`);
          const model = new Uint8Array(SIZE);
          for (const options of [{}, { cacheSize: 0 }, {}]) {
            await withImage(
              directory,
              "a.qcow2",
              options,
              (backend) => change(backend, model, random, 100),
            );
            await agree(directory, "a.qcow2", model);
          }
        })),
  );
}
