/** Raw images in the seekable format of zstd. */
import { assertEquals, assertMatch, assertRejects } from "@std/assert";
import { zstdCompressSync } from "node:zlib";
import type { ImageOptions } from "../../../src/backends/driver.ts";
import { openImage } from "../../../src/backends/open_image.ts";
import { UserError } from "../../../src/base/user_error.ts";
import { randomly } from "../../_random.ts";
import { FakeFiles } from "../_fake_files.ts";
import { readBack } from "../_image.ts";
import { imageOptions } from "../_image_options.ts";
import { buildZst } from "./_build_zst.ts";

function opened(bytes: Uint8Array, options: Partial<ImageOptions> = {}) {
  const files = new FakeFiles();
  files.write("a", bytes);
  return openImage("zst:a", { ...imageOptions, ...options }, files.services());
}

async function refusal(bytes: Uint8Array): Promise<string> {
  return (await assertRejects(() => opened(bytes), UserError)).message;
}

Deno.test("frames of any size read as their bytes", () =>
  randomly(5, async (random) => {
    const disk = random.bytes(100_000);
    disk.fill(7, random.below(50_000), 80_000);
    const frames = Array.from({ length: 20 }, () => 1 + random.below(9000));
    const hasChecksums = random.oneIn(2);
    const bytes = buildZst(disk, { frames, hasChecksums });
    for (const cacheSize of [0, 200_000]) {
      const image = await opened(bytes, { cacheSize });
      assertEquals(image.stat.size, disk.length);
      assertEquals(await readBack(image.backend, 0, disk.length), disk);
      for (let i = 0; i < 50; i++) {
        const at = random.below(disk.length);
        const length = 1 + random.below(Math.min(20_000, disk.length - at));
        const got = await readBack(image.backend, at, length);
        assertEquals(got, disk.subarray(at, at + length));
      }
      await image.close();
    }
  }));

const disk = Uint8Array.from({ length: 9000 }, (_, i) => 1 + i % 200);
const whole = () => buildZst(disk, { frames: [4096] });

Deno.test("a file without a seek table is refused, with what makes one", async () => {
  const message = await refusal(zstdCompressSync(disk));
  assertMatch(message, /^Cannot open \/images\/a as zst: it has no seek table/);
  assertMatch(message, /'t2sz -r -s 1M FILE'/);
  assertMatch(await refusal(new Uint8Array(99)), /does not begin like a file/);
  assertMatch(await refusal(new Uint8Array(3)), /does not begin like a file/);
});

Deno.test("a seek table that makes no sense is refused", async () => {
  const bad = (change: (view: DataView, table: number) => void) => {
    const bytes = whole();
    change(new DataView(bytes.buffer), bytes.length - 8 - 3 * 8 - 9);
    return refusal(bytes);
  };
  assertMatch(
    await bad((v) => v.setUint32(v.byteLength - 9, 2 ** 31, true)),
    /it has 2147483648 frames, which are too many/,
  );
  assertMatch(
    await bad((v) => v.setUint32(v.byteLength - 9, 2, true)),
    /its seek table makes no sense/,
  );
  assertMatch(
    await bad((v) => v.setUint8(v.byteLength - 5, 4)),
    /has the descriptor 4/,
  );
  assertMatch(
    await bad((v, table) => v.setUint32(table + 8, 2 ** 31, true)),
    /puts frames after their end/,
  );
  assertMatch(
    await bad((v, table) => v.setUint32(table + 12, 2 ** 31, true)),
    /it has a frame of 2147483648 bytes/,
  );
});

Deno.test("a frame that is damaged or of another size gives EIO", async () => {
  for (const size of [4095, 4097]) {
    const bytes = whole();
    const table = bytes.length - 8 - 3 * 8 - 9;
    new DataView(bytes.buffer).setUint32(table + 12, size, true);
    const image = await opened(bytes);
    assertEquals(await image.backend.read(0, new Uint8Array(9), 0, 9), -5);
    await image.close();
  }
  const bytes = whole();
  bytes.fill(0xee, 0, 8);
  const image = await opened(bytes);
  assertEquals(await image.backend.read(0, new Uint8Array(9), 0, 9), -5);
  assertEquals(await readBack(image.backend, 4096, 9), disk.slice(4096, 4105));
  await image.close();
});
