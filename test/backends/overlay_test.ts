/** Overlays: where changes go, and that the image below stays as it is. */
import { assert, assertEquals, assertMatch, assertRejects } from "@std/assert";
import { UserError } from "../../src/base/user_error.ts";
import type { ImageOptions } from "../../src/backends/driver.ts";
import { openImage } from "../../src/backends/open_image.ts";
import { FakeFiles } from "./_fake_files.ts";
import { readBack } from "./_image.ts";
import { imageOptions } from "./_image_options.ts";

const SIZE = 300_000;
const MIB = 1 << 20;
const inMemory = { kind: "memory", limit: 4 * MIB } as const;

function inFile(keep: boolean) {
  return { kind: "file", path: "over.qcow2", keep } as const;
}

/** Files of which `base` is full of sevens. */
function withBase() {
  const fake = new FakeFiles();
  const bytes = new Uint8Array(SIZE).fill(7);
  fake.write("base", bytes);
  const open = (overlay: ImageOptions["overlay"], source = "base") =>
    openImage(
      source,
      { ...imageOptions, writable: true, overlay },
      fake.services(),
    );
  const baseBytes = async () => {
    const image = await openImage("base", imageOptions, fake.services());
    const read = await readBack(image.backend, 0, SIZE);
    await image.close();
    return read;
  };
  return { fake, bytes, open, baseBytes };
}

for (const overlay of [inMemory, inFile(false), inFile(true)]) {
  const where = overlay.kind === "memory"
    ? "memory"
    : `a file${overlay.keep ? " that is kept" : ""}`;
  Deno.test(`an overlay in ${where} takes what is written`, async () => {
    const { fake, bytes, open, baseBytes } = withBase();
    const image = await open(overlay);
    assertEquals(image.stat.size, SIZE);
    assertEquals(image.name, "/images/base");
    const data = new Uint8Array(1000).fill(3);
    assertEquals(await image.backend.write(70_000, data, 0, 1000), 1000);
    const wanted = bytes.slice();
    wanted.set(data, 70_000);
    assertEquals(await readBack(image.backend, 0, SIZE), wanted);
    await image.close();
    assertEquals(await baseBytes(), bytes);
    assertEquals(fake.openCount, 0);
  });
}

Deno.test("an overlay that is not kept has no name while it is used", async () => {
  const { fake, open } = withBase();
  const image = await open(inFile(false));
  assert(!fake.has("over.qcow2"));
  await image.close();
});

Deno.test("an overlay that is kept goes on where it ended", async () => {
  const { open } = withBase();
  const first = await open(inFile(true));
  await first.backend.write(5, new Uint8Array([1, 2, 3]), 0, 3);
  await first.close();
  const second = await open(inFile(true));
  assertEquals(
    await readBack(second.backend, 4, 5),
    new Uint8Array([7, 1, 2, 3, 7]),
  );
  await second.close();
});

Deno.test("an overlay that was kept is an image by itself", async () => {
  const { fake, open } = withBase();
  const first = await open(inFile(true));
  await first.backend.write(5, new Uint8Array([1, 2, 3]), 0, 3);
  await first.close();
  const image = await openImage(
    "qcow2:over.qcow2",
    imageOptions,
    fake.services(),
  );
  assertEquals(
    await readBack(image.backend, 4, 5),
    new Uint8Array([7, 1, 2, 3, 7]),
  );
  await image.close();
});

Deno.test("a file is not overwritten by an overlay", async () => {
  const { fake, open } = withBase();
  fake.add("over.qcow2", 100);
  const error = await assertRejects(() => open(inFile(false)), UserError);
  assertMatch(error.message, /a file is there already; keep using it/);
  assertEquals(fake.openCount, 0);
  assert(fake.has("over.qcow2"));
});

Deno.test("an overlay of another image is refused", async () => {
  const { fake, open } = withBase();
  await (await open(inFile(true))).close();
  fake.write("other", new Uint8Array(SIZE));
  const again = () => open(inFile(true), "other");
  const error = await assertRejects(again, UserError);
  assertMatch(error.message, /overlay of raw:base, not of raw:other/);
  assertEquals(fake.openCount, 0);
});

Deno.test("an overlay in memory that is full says ENOSPC", async () => {
  const { open, baseBytes, bytes } = withBase();
  const image = await open({ kind: "memory", limit: 6 * 65_536 });
  const data = new Uint8Array(65_536).fill(1);
  const results: number[] = [];
  for (let at = 0; at + 65_536 <= SIZE; at += 65_536) {
    results.push(await image.backend.write(at, data, 0, 65_536));
  }
  assertEquals(results.at(-1), -28);
  // What was written before is there, and the rest shows the image below.
  const written = results.filter((result) => result > 0).length;
  const wanted = bytes.slice();
  wanted.fill(1, 0, written * 65_536);
  assertEquals(await readBack(image.backend, 0, SIZE), wanted);
  await image.close();
  assertEquals(await baseBytes(), bytes);
});

Deno.test("a discard in an overlay reads as zeroes, not as the image below", async () => {
  const { open } = withBase();
  const image = await open(inMemory);
  assertEquals(await image.backend.zero(65_536, 65_536, { unmap: true }), 0);
  assertEquals(
    await readBack(image.backend, 65_536, 65_536),
    new Uint8Array(65_536),
  );
  await image.close();
});
