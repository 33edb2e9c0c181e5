/** Reads that do not go well: files that are cut off, short reads and errors. */
import { loadDecompression } from "../../../src/backends/compression/decompress.ts";
import { assert, assertEquals } from "@std/assert";
import { ERRNO } from "../../../src/base/errno.ts";
import type { Backend } from "../../../src/backends/backend.ts";
import { ClusterCache } from "../../../src/backends/formats/qcow2/cluster_cache.ts";
import { DamageSigns } from "../../../src/backends/mapped/damage_signs.ts";
import { geometryOf } from "../../../src/backends/formats/qcow2/geometry.ts";
import { parseHeader } from "../../../src/backends/formats/qcow2/header.ts";
import { readL1 } from "../../../src/backends/formats/qcow2/read_l1.ts";
import { L2Entries } from "../../../src/backends/formats/qcow2/l2_entries.ts";
import { sourceFiles } from "../../../src/backends/formats/qcow2/qcow2_sources.ts";
import { MappedImage } from "../../../src/backends/mapped/mapped_backend.ts";
import { SliceCache } from "../../../src/backends/mapped/slice_cache.ts";
import { TableLookup } from "../../../src/backends/mapped/table_lookup.ts";
import { ImageBackend } from "../../../src/backends/image_backend.ts";
import { randomly } from "../../_random.ts";
import { readBack } from "../_image.ts";
import { buildImage, builtByte, type ImagePlan } from "./_build_image.ts";

const CLUSTER = 4096;
const EIO = -ERRNO.EIO;

/** A file of some bytes, whose reads a test decides on. */
class TestFile extends ImageBackend {
  readonly size: number;
  /** Reads so far: where, and how many bytes were asked for. */
  readonly reads: (readonly [position: number, length: number])[] = [];
  /** Decides how many bytes a read gives, or which error; all if left out. */
  answer: (position: number, length: number) => number = (_, length) => length;
  /** Whether reads are answered later. */
  isLate = false;
  readonly #bytes: Uint8Array;

  constructor(bytes: Uint8Array) {
    super("file");
    this.#bytes = bytes;
    this.size = bytes.length;
  }

  read(position: number, buffer: Uint8Array, start: number, length: number) {
    this.reads.push([position, length]);
    const wanted = this.answer(position, length);
    if (wanted < 0) return this.#give(wanted);
    const part = this.#bytes.subarray(position, position + wanted);
    buffer.set(part, start);
    return this.#give(part.length);
  }

  #give(result: number): number | Promise<number> {
    return this.isLate ? Promise.resolve(result) : result;
  }
}

await loadDecompression("a test");

async function opened(
  plan: Partial<ImagePlan>,
  cut = Infinity,
  cacheSize = 1 << 20,
) {
  const image = buildImage({ size: 8 * CLUSTER, clusterBits: 12, ...plan });
  const header = parseHeader(image.subarray(0, CLUSTER), "a");
  const geometry = geometryOf(header);
  const file = new TestFile(image.subarray(0, Math.min(cut, image.length)));
  const whole = new TestFile(image);
  const l1 = await readL1(whole, header.l1Offset, 1, geometry, "a");
  const cache = SliceCache.create(cacheSize, 1, geometry.sliceSize / 4);
  const backend: Backend = new MappedImage({
    name: "a",
    size: header.size,
    files: sourceFiles(file, file, file.size, geometry),
    backing: null,
    damage: new DamageSigns(DamageSigns.create(), "a", () => {}, ""),
    sliceSize: geometry.sliceSize,
    clusterSize: CLUSTER,
    lookup: new TableLookup(
      { geometry, l1, cache },
      new L2Entries(geometry),
      1,
    ),
    blocks: new ClusterCache(header.compression, CLUSTER),
  });
  return { backend, file };
}

/** Where the data of a built image start. */
const DATA = 5 * CLUSTER;

Deno.test("what is cut off from an image is an error, not zeroes", async () => {
  const plan = { clusters: ["data", "data", "data"] } as const;
  for (const isLate of [false, true]) {
    const { backend, file } = await opened(plan, DATA + CLUSTER);
    file.isLate = isLate;
    const buffer = new Uint8Array(3 * CLUSTER);
    // What comes before it is told first.
    assertEquals(await backend.read(0, buffer, 0, 3 * CLUSTER), CLUSTER);
    assertEquals(await backend.read(CLUSTER, buffer, 0, 10), EIO);
    assertEquals(await backend.read(2 * CLUSTER, buffer, 0, CLUSTER), EIO);
  }
});

Deno.test("the rest of a file's last cluster reads as zeroes", async () => {
  const clusters = ["data", "data"] as const;
  const { backend } = await opened({ clusters }, DATA + CLUSTER + 100);
  const bytes = await readBack(backend, CLUSTER - 1, CLUSTER + 1);
  for (let i = 0; i <= CLUSTER; i++) {
    assertEquals(bytes[i], i > 100 ? 0 : builtByte(CLUSTER - 1 + i), `at ${i}`);
  }
});

Deno.test("a file that has lost its end since is an error", async () => {
  const { backend, file } = await opened({ clusters: ["data"] });
  file.answer = (position, length) => position < DATA ? length : 0;
  assertEquals(await backend.read(0, new Uint8Array(10), 0, 10), EIO);
  file.isLate = true;
  assertEquals(await backend.read(0, new Uint8Array(10), 0, 10), EIO);
});

Deno.test("a table beyond the end of the file is an error", async () => {
  const { backend } = await opened({ clusters: ["data"] }, 4 * CLUSTER);
  assertEquals(await backend.read(0, new Uint8Array(10), 0, 10), EIO);
});

Deno.test("errors come after the bytes before them", async () => {
  for (const isLate of [false, true]) {
    const clusters = ["data", "zero", "data"] as const;
    const { backend, file } = await opened({ clusters });
    file.isLate = isLate;
    file.answer = (position, length) =>
      position >= DATA + CLUSTER ? -ERRNO.ENXIO : length;
    const buffer = new Uint8Array(3 * CLUSTER);
    assertEquals(await backend.read(0, buffer, 0, 3 * CLUSTER), 2 * CLUSTER);
    const rest = await backend.read(2 * CLUSTER, buffer, 0, CLUSTER);
    assertEquals(rest, -ERRNO.ENXIO);
  }
});

Deno.test("a compressed cluster that is damaged is an error", async () => {
  const clusters = ["compressed"] as const;
  const { backend } = await opened({ clusters }, DATA + 20);
  assertEquals(await backend.read(5, new Uint8Array(10), 0, 10), EIO);
});

Deno.test("a compressed cluster is read once for many reads", async () => {
  const { backend, file } = await opened({ clusters: ["compressed"] });
  for (let at = 0; at < CLUSTER; at += 512) await readBack(backend, at, 512);
  const streams = file.reads.filter(([position]) => position >= DATA);
  assertEquals(streams.length, 1);
});

Deno.test("a read of cached tables makes one call, for what is contiguous", async () => {
  const { backend, file } = await opened({ clusters: Array(8).fill("data") });
  await readBack(backend, 0, 1);
  file.reads.length = 0;
  const buffer = new Uint8Array(8 * CLUSTER);
  assertEquals(backend.read(100, buffer, 0, 7 * CLUSTER), 7 * CLUSTER);
  assertEquals(file.reads, [[DATA + 100, 7 * CLUSTER]]);
});

Deno.test("reads give the same bytes, however their file answers", () =>
  randomly(30, async (random) => {
    const clusters = Array.from({ length: 8 }, () =>
      random.pick(
        ["data", "zero", "kept zero", "compressed", "unallocated"] as const,
      ));
    const compression = random.pick(["deflate", "zstd"] as const);
    const cacheSize = random.pick([0, 1 << 20]);
    const { backend, file } = await opened(
      { clusters, compression },
      Infinity,
      cacheSize,
    );
    file.answer = (_, length) =>
      random.oneIn(2) ? length : 1 + random.below(length);
    const reads = Array.from({ length: 20 }, async () => {
      file.isLate = random.oneIn(2);
      const position = random.below(8 * CLUSTER);
      const length = 1 + random.below(8 * CLUSTER - position);
      const buffer = new Uint8Array(length);
      for (let done = 0; done < length;) {
        const got = await backend.read(
          position + done,
          buffer,
          done,
          length - done,
        );
        assert(got > 0, `${got}`);
        done += got;
      }
      for (let i = 0; i < length; i++) {
        const at = position + i;
        const kind = clusters[Math.floor(at / CLUSTER)]!;
        const isData = kind === "data" || kind === "compressed";
        assertEquals(buffer[i], isData ? builtByte(at) : 0, `${kind} at ${at}`);
      }
    });
    await Promise.all(reads);
  }));
