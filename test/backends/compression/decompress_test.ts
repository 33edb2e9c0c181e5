import { assertEquals, assertNotEquals } from "@std/assert";
import * as zlib from "node:zlib";
import {
  decompress as decompressInto,
  loadDecompression,
} from "../../../src/backends/compression/decompress.ts";
import { ClusterCache } from "../../../src/backends/formats/qcow2/cluster_cache.ts";
import { Mapping } from "../../../src/backends/mapped/mapping.ts";
import { ZlibHandle } from "../../../src/backends/compression/zlib_handle.ts";
import { zstdFrameLength } from "../../../src/backends/compression/zstd_frame.ts";
import { type Random, randomly } from "../../_random.ts";

const CLUSTER = 16_384;
const { deflateRawSync, deflateSync, zstdCompressSync } = zlib;
const HOW = {
  deflate: deflateRawSync,
  zlib: deflateSync,
  zstd: zstdCompressSync,
} as const;

/** The block; `null` if it is refused. */
function decompress(
  how: keyof typeof HOW,
  stream: Uint8Array,
): Uint8Array | null {
  const output = new Uint8Array(CLUSTER + 1);
  const got = decompressInto(how, stream, output);
  return got === CLUSTER ? output.slice(0, got) : null;
}

/** A cluster that is compressed well, or not at all. */
function drawCluster(random: Random): Uint8Array<ArrayBuffer> {
  const cluster = new Uint8Array(CLUSTER).fill(random.below(256));
  const noise = random.below(CLUSTER);
  cluster.set(random.bytes(noise), random.below(CLUSTER - noise + 1));
  return cluster;
}

/** The mapping of a whole cluster. */
function mappingOf(host: number): Mapping {
  const mapping = new Mapping();
  return Object.assign(mapping, { host, length: CLUSTER });
}

await loadDecompression("a test");

for (const how of ["deflate", "zlib", "zstd"] as const) {
  Deno.test(`clusters of ${how} are decompressed, whatever follows`, () =>
    randomly(20, (random) => {
      const cluster = drawCluster(random);
      const stream = HOW[how](cluster);
      const rest = random.bytes(random.below(512));
      const bytes = new Uint8Array([...stream, ...rest]);
      assertEquals(decompress(how, bytes), cluster);
    }));

  Deno.test(`the insides of node:zlib decompress ${how}`, () => {
    assertNotEquals(ZlibHandle.create(zlib, how), null);
  });

  Deno.test(`clusters of ${how} that are kept are not mixed up`, () =>
    randomly(10, (random) => {
      const streams = Array.from({ length: 40 }, () => drawCluster(random))
        .map((bytes) => ({ bytes, stream: new Uint8Array(HOW[how](bytes)) }));
      const clusters = new ClusterCache(how, CLUSTER);
      for (let i = 0; i < 200; i++) {
        const mapping = mappingOf(random.below(streams.length));
        const { bytes, stream } = streams[mapping.host]!;
        const kept = new Uint8Array(CLUSTER);
        if (random.below(8) === 0) {
          // A damaged stream is not kept, nor what its memory had before.
          assertEquals(clusters.add(mapping, stream.subarray(0, 3)), false);
          assertEquals(clusters.copy(mapping, kept, 0), false);
        } else if (!clusters.copy(mapping, kept, 0)) {
          assertEquals(clusters.add(mapping, stream), true);
        }
        if (clusters.copy(mapping, kept, 0)) assertEquals(kept, bytes);
      }
    }));

  Deno.test(`${how} that is cut off or changed gives no wrong cluster`, () =>
    randomly(30, (random) => {
      const cluster = drawCluster(random);
      const stream = new Uint8Array(HOW[how](cluster));
      // An empty frame follows the one that counts.
      const counts = how === "zstd" ? zstdFrameLength(stream)! : stream.length;
      const cut = stream.slice(0, random.below(counts - 1));
      assertEquals(decompress(how, cut), null);
      const changed = stream.slice();
      changed[random.below(changed.length)]! ^= 1 << random.below(8);
      const result = decompress(how, changed);
      assertEquals(result?.length ?? CLUSTER, CLUSTER);
      const noise = random.bytes(600);
      assertEquals(decompress(how, noise)?.length ?? CLUSTER, CLUSTER);
    }));

  Deno.test(`the length of a shorter block of ${how} is told`, () => {
    const output = new Uint8Array(CLUSTER + 1);
    for (const size of [1, 5000, CLUSTER]) {
      const stream = HOW[how](new Uint8Array(size).fill(7));
      assertEquals(decompressInto(how, stream, output), size);
    }
  });

  Deno.test(`${how} of another size than a cluster is refused`, () => {
    for (const size of [0, 1, CLUSTER - 1, CLUSTER + 1, 100 * CLUSTER]) {
      const stream = HOW[how](new Uint8Array(size));
      assertEquals(decompress(how, stream), null, `${size}`);
    }
  });
}

Deno.test("a bomb does not grow", () => {
  const bomb = {
    deflate: deflateRawSync(new Uint8Array(1 << 26)),
    zstd: zstdCompressSync(new Uint8Array(1 << 26)),
  };
  const start = performance.now();
  assertEquals(decompress("deflate", bomb.deflate), null);
  assertEquals(decompress("zstd", bomb.zstd), null);
  const ms = performance.now() - start;
  assertEquals(ms < 500, true, `${ms} ms`);
});

Deno.test("damaged frames with large windows leave no memory behind", () => {
  const window = 17 << 3; // 128 MiB: 2 ** (10 + 17)
  const start = [0x28, 0xb5, 0x2f, 0xfd, 0x00, window];
  // Blocks of one byte repeated for 128 KiB, which do not end the frame.
  const blocks = Array.from({ length: 64 }, () => [0x02, 0x00, 0x10, 7]).flat();
  // A last block of the type that is reserved, and one that makes it too long.
  const damage = Uint8Array.of(...start, ...blocks, 0x07, 0x00, 0x00);
  const more = Uint8Array.of(...start, ...blocks, 0x03, 0x00, 0x10, 7);
  const output = new Uint8Array((64 << 17) + 1);
  const before = Deno.memoryUsage().rss;
  for (let i = 0; i < 50; i++) {
    assertEquals(decompressInto("zstd", damage, output), -1);
    assertEquals(decompressInto("zstd", more, output), -1);
  }
  const grown = Deno.memoryUsage().rss - before;
  assertEquals(grown < 128 << 20, true, `${grown} bytes`);
});

Deno.test("zstdFrameLength() knows every kind of header", () => {
  const frame = (descriptor: number, ...rest: number[]) =>
    Uint8Array.of(0x28, 0xb5, 0x2f, 0xfd, descriptor, ...rest);
  const last = [1, 0, 0];
  // A window descriptor, then an empty last block.
  assertEquals(zstdFrameLength(frame(0x00, 0, ...last, 9, 9)), 9);
  // A single segment with a size of one byte.
  assertEquals(zstdFrameLength(frame(0x20, 0, ...last)), 9);
  // Sizes of 2, 4 and 8 bytes, dictionaries of 1, 2 and 4 bytes, a checksum.
  assertEquals(zstdFrameLength(frame(0x61, 1, 0, 0, ...last)), 11);
  const size4 = [0, 0, 0, 0];
  assertEquals(zstdFrameLength(frame(0xa2, 1, 1, ...size4, ...last)), 14);
  const size8 = [...size4, ...size4];
  const end = [...last, 1, 2, 3, 4];
  assertEquals(zstdFrameLength(frame(0xe7, ...size4, ...size8, ...end)), 24);
  // Cut off: in the header, in a block, in the checksum.
  assertEquals(zstdFrameLength(frame(0x00, 0, 1, 0)), null);
  assertEquals(zstdFrameLength(frame(0x00, 0, 0x29, 0, 0, 1)), null);
  assertEquals(zstdFrameLength(frame(0x24, 0, ...last, 1, 2, 3)), null);
  assertEquals(zstdFrameLength(Uint8Array.of(0x28, 0xb5, 0x2f, 0xfd)), null);
});
