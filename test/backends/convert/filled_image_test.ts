/** New images that are filled part by part. */
import { assertEquals } from "@std/assert";
import type { Backend } from "../../../src/backends/backend.ts";
import {
  dataRanges,
  type DiskPart,
  type Division,
  partsOf,
} from "../../../src/backends/convert/disk_part.ts";
import { PartCopier } from "../../../src/backends/convert/part_copier.ts";
import { runParts } from "../../../src/backends/convert/run_parts.ts";
import {
  ClusterWriter,
  type WrittenClusters,
} from "../../../src/backends/formats/qcow2/creating/cluster_writer.ts";
import { FilledImage } from "../../../src/backends/formats/qcow2/creating/filled_image.ts";
import { checkQcow2 } from "../../../src/backends/formats/qcow2/check/check_qcow2.ts";
import type { Compression } from "../../../src/backends/formats/qcow2/header.ts";
import { openImage } from "../../../src/backends/open_image.ts";
import { FileBackend } from "../../../src/backends/protocols/file/file_backend.ts";
import {
  createMemoryDisk,
  MemoryBackend,
} from "../../../src/backends/protocols/memory.ts";
import { type Random, withSeeds } from "../../_random.ts";
import { FakeFiles } from "../_fake_files.ts";
import { imageOptions } from "../_image_options.ts";

/** A disk in which some pieces are data, of which some compress well. */
function makeDisk(size: number, piece: number, random: Random) {
  const bytes = new Uint8Array(size);
  for (let at = 0; at < size; at += piece) {
    const part = bytes.subarray(at, at + piece);
    const kind = random.below(4);
    if (kind === 0) part.set(random.bytes(part.length));
    if (kind === 1) part.fill(1 + random.below(255), random.below(piece));
    if (kind === 2) part[random.below(part.length)] = 1;
  }
  const disk = new MemoryBackend(createMemoryDisk(size));
  disk.write(0, bytes, 0, size);
  return { bytes, disk };
}

interface Filling {
  readonly clusterSize: number;
  readonly compression: Compression | null;
  readonly size: number;
}

/** Fills an image by two writers, and returns its file. */
async function fill(
  source: Backend,
  { clusterSize, compression, size }: Filling,
): Promise<FakeFiles> {
  const files = new FakeFiles();
  const file = new FileBackend(files.create("a.qcow2").file, "a.qcow2", true);
  const image = new FilledImage(file, {
    size,
    clusterSize,
    extendedL2: false,
    preallocated: false,
    backing: null,
    dataFile: null,
    compression: compression ?? "deflate",
  }, compression !== null);
  const division: Division = {
    size,
    unit: clusterSize,
    partSize: 4 * clusterSize,
  };
  const threads = await Promise.all([0, 1].map(async () => {
    const writer = await ClusterWriter.open(file, image.writing);
    const copier = await PartCopier.open(source, writer, null);
    return {
      depth: copier.depth,
      copy: (part: DiskPart) => copier.copy(part),
      end() {},
    };
  }));
  await runParts<WrittenClusters>(
    partsOf(dataRanges([source], division), division),
    threads,
    {
      signal: new AbortController().signal,
      async copied(_part, result, settled) {
        image.take(result);
        await image.settle(settled);
      },
    },
  );
  await image.finish();
  return files;
}

async function readAll(files: FakeFiles, size: number): Promise<Uint8Array> {
  const image = await openImage(
    "qcow2:a.qcow2",
    imageOptions,
    files.services(),
  );
  const bytes = new Uint8Array(size);
  for (let at = 0; at < size;) {
    const length = Math.min(70_000, size - at);
    const got = await image.backend.read(at, bytes, at, length);
    if (got <= 0) throw new Error(`${got} at ${at}`);
    at += got;
  }
  await image.close();
  return bytes;
}

for (const compression of [null, "deflate", "zstd"] as const) {
  for (const clusterSize of [512, 4096, 65_536]) {
    const name = `${compression ?? "plain"} clusters of ${clusterSize} bytes`;
    Deno.test(`FilledImage has the disk in ${name}, and no fault`, () =>
      withSeeds([1, 2], async (random) => {
        const size = 512 * (1 + random.below(40 * clusterSize / 512));
        const { bytes, disk } = makeDisk(size, clusterSize / 2, random);
        const files = await fill(disk, { clusterSize, compression, size });
        assertEquals(await readAll(files, size), bytes);
        const file = files.open("a.qcow2", { writable: false });
        const report = await checkQcow2(
          new FileBackend(file, "a.qcow2", false),
          "a.qcow2",
        );
        assertEquals([report.corruptions, report.leaks], [0, 0]);
      }));
  }
}

Deno.test("FilledImage writes tables as soon as they are settled", async () => {
  // Each table maps 32 KiB, so that there are many.
  const size = 1 << 20;
  const disk = new MemoryBackend(createMemoryDisk(size));
  disk.write(size - 512, new Uint8Array(512).fill(7), 0, 512);
  disk.write(0, new Uint8Array(512).fill(9), 0, 512);
  const files = await fill(disk, { clusterSize: 512, compression: null, size });
  const bytes = await readAll(files, size);
  assertEquals([bytes[0], bytes[1000], bytes[size - 1]], [9, 0, 7]);
});
