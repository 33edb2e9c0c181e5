/** Which files an image may lead to, and how chains of images read. */
import { assertEquals, assertMatch, assertRejects } from "@std/assert";
import { UserError } from "../../../src/base/user_error.ts";
import type { ImageOptions } from "../../../src/backends/driver.ts";
import { openImage } from "../../../src/backends/open_image.ts";
import { FakeFiles } from "../_fake_files.ts";
import { readBack } from "../_image.ts";
import { imageOptions } from "../_image_options.ts";
import { buildImage, builtByte, type ImagePlan } from "./_build_image.ts";

const CLUSTER = 65_536;
const SIZE = 8 * CLUSTER;

/** Files in memory, by their paths below /images. */
function withFiles(files: Readonly<Record<string, Partial<ImagePlan>>>) {
  const fake = new FakeFiles();
  for (const [path, plan] of Object.entries(files)) {
    fake.write(path, buildImage({ size: SIZE, ...plan }));
  }
  const open = (source: string, options: Partial<ImageOptions> = {}) =>
    openImage(source, { ...imageOptions, ...options }, fake.services());
  return { fake, open };
}

function backedBy(name: string, format?: string): Partial<ImagePlan> {
  return { backing: { name, ...format === undefined ? {} : { format } } };
}

/**
 * What opening an image is refused with; nothing stays open, and what lies
 * elsewhere was never opened: that may have effects.
 */
async function refusal(
  files: Readonly<Record<string, Partial<ImagePlan>>>,
  options: Partial<ImageOptions> = {},
  source = "qcow2:top",
): Promise<string> {
  const { fake, open } = withFiles(files);
  const error = await assertRejects(() => open(source, options), UserError);
  assertEquals(fake.openCount, 0);
  if (error.message.includes("outside of the image's directory")) {
    const opened = fake.log.filter((call) => call.startsWith("open "));
    assertEquals(opened, [`open ${source.replace(/^.*:/, "")}`]);
  }
  return error.message;
}

Deno.test("a chain reads from the first image that has the bytes", async () => {
  const { open, fake } = withFiles({
    top: { clusters: ["unallocated", "data"], ...backedBy("dir/mid", "qcow2") },
    "dir/mid": {
      clusters: ["zero", "unallocated", "unallocated", "data"],
      ...backedBy("../base", "raw"),
    },
  });
  const base = new Uint8Array(3 * CLUSTER - 100).fill(9);
  fake.write("base", base);
  const image = await open("qcow2:top");
  const bytes = await readBack(image.backend, 0, SIZE);
  const wanted = new Uint8Array(SIZE);
  wanted.set(base);
  wanted.fill(0, 0, CLUSTER);
  for (const cluster of [1, 3]) {
    for (let i = 0; i < CLUSTER; i++) {
      const at = cluster * CLUSTER + i;
      wanted[at] = builtByte(at);
    }
  }
  assertEquals(bytes, wanted);
  await image.close();
  assertEquals(fake.openCount, 0);
});

Deno.test("a backing file without a recorded format is refused", async () => {
  const message = await refusal({ top: backedBy("base"), base: {} });
  assertEquals(
    message,
    `Cannot open the backing file "base" of /images/top: its format is not recorded, and formats are never guessed; give it with backing=FORMAT:base, or record it with 'qemu-img rebase -u -b base -F FORMAT /images/top'`,
  );
});

Deno.test("the user names the backing file", async () => {
  const { open, fake } = withFiles({ top: backedBy("missing") });
  fake.write("other", new Uint8Array(SIZE).fill(7));
  const image = await open("qcow2:top", { backing: "raw:other" });
  assertEquals([...await readBack(image.backend, 5, 2)], [7, 7]);
  await image.close();
});

Deno.test("names that are no paths are refused", async () => {
  for (
    const name of [
      "json:{}",
      'json:{"driver":"file","filename":"/etc/shadow"}',
      "nbd://host/disk",
      "http://host/disk",
      "file:base",
      "FTP:x",
      "fat:rw:/etc",
    ]
  ) {
    for (const format of ["raw", "qcow2"]) {
      const message = await refusal({ top: backedBy(name, format), base: {} });
      assertMatch(message, /: it is not a path; name the file yourself$/);
    }
    const message = await refusal({ top: { dataFile: name } });
    assertMatch(message, /^Cannot open the data file .*: it is not a path/);
  }
});

Deno.test("files outside of the image's directory need permission", async () => {
  const files = {
    "dir/top": backedBy("../base", "qcow2"),
    base: { clusters: ["data"] },
  } as const;
  assertEquals(
    await refusal(files, {}, "qcow2:dir/top"),
    `Cannot open the backing file "../base" of /images/dir/top: it is /images/base, outside of the image's directory; allow that with allow-reference=/images if you trust the image`,
  );
  // A directory whose name only begins like an allowed one is another one.
  assertMatch(
    await refusal(files, { allowReference: ["/image"] }, "qcow2:dir/top"),
    /outside/,
  );
  const { open } = withFiles(files);
  const image = await open("qcow2:dir/top", { allowReference: ["/images"] });
  assertEquals([...await readBack(image.backend, 1, 1)], [builtByte(1)]);
  await image.close();
});

Deno.test("a data file outside of the image's directory is refused", async () => {
  const files = { "dir/top": { dataFile: "../secret" }, secret: {} };
  assertMatch(await refusal(files, {}, "qcow2:dir/top"), /data file.*outside/);
});

Deno.test("a file that has taken an allowed path since is refused", async () => {
  for (const format of ["raw", "qcow2"]) {
    const { fake, open } = withFiles({
      "dir/top": backedBy("../base", format),
      base: {},
    });
    fake.realPath = (path) => path.replace("..", "dir");
    const error = await assertRejects(() => open("qcow2:dir/top"), UserError);
    assertMatch(error.message, /it is \/images\/base, outside/);
    assertEquals(fake.openCount, 0);
  }
});

Deno.test("a chain that contains an image twice is refused", async () => {
  assertMatch(
    await refusal({ top: backedBy("top", "qcow2") }),
    /it is part of the same chain already/,
  );
  assertMatch(
    await refusal({
      top: backedBy("mid", "qcow2"),
      mid: backedBy("top", "raw"),
    }),
    /it is part of the same chain already/,
  );
  assertMatch(
    await refusal({ top: { dataFile: "top", clusters: ["data"] } }),
    /it is part of the same chain already/,
  );
});

Deno.test("a chain of 32 images is opened, a longer one refused", async () => {
  const files: Record<string, Partial<ImagePlan>> = { base: {} };
  const chain = (images: number) => {
    for (let i = 1; i < images; i++) {
      const below = i === images - 1 ? "base" : `${i + 1}`;
      files[i === 1 ? "top" : `${i}`] = backedBy(below, "qcow2");
    }
    return files;
  };
  const { open } = withFiles(chain(32));
  const image = await open("qcow2:top");
  assertEquals([...await readBack(image.backend, 0, 1)], [0]);
  await image.close();
  assertMatch(await refusal(chain(33)), /chain has more than 32 images/);
});

Deno.test("formats other than raw and qcow2 are refused below an image", async () => {
  assertMatch(
    await refusal({ top: backedBy("base", "vmdk"), base: {} }),
    /its format is "vmdk", yet only raw and qcow2/,
  );
});

Deno.test("a data file that the image does not name is refused", async () => {
  const header = (view: DataView) => view.setBigUint64(72, 4n);
  assertMatch(await refusal({ top: { header } }), /does not name it/);
});

Deno.test("snapshots and backing files need a format that has them", async () => {
  const { open } = withFiles({ top: {} });
  await assertRejects(
    () => open("top", { snapshot: "one" }),
    UserError,
    "Cannot use snapshot with a source of the driver raw",
  );
  await assertRejects(
    () => open("null:1M", { backing: "raw:top" }),
    UserError,
    "Cannot use backing with a source of the driver null",
  );
  await assertRejects(
    () => open("qcow2:top", { snapshot: "one" }),
    UserError,
    'Cannot open snapshot "one" of /images/top: it has no snapshots',
  );
});

Deno.test("an image that is dirty or marked as corrupt is not written to", async () => {
  const cases = [[2n, "marked as corrupt"], [3n, "marked as corrupt"]] as const;
  for (const [bits, why] of cases) {
    const header = (view: DataView) => view.setBigUint64(72, bits);
    assertMatch(
      await refusal({ top: { header } }, { writable: true }),
      new RegExp(`^Cannot write to .*${why}.*'check --repair=all'$`),
    );
  }
});
