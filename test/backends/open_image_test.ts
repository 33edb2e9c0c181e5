import { assertEquals, assertInstanceOf, assertRejects } from "@std/assert";
import type { ImageDriver, ImageOptions } from "../../src/backends/driver.ts";
import { ImageBackend } from "../../src/backends/image_backend.ts";
import { type ImageSource, openImage } from "../../src/backends/open_image.ts";
import { FileBackend } from "../../src/backends/protocols/file/file_backend.ts";
import { RAW } from "../../src/backends/formats/raw.ts";
import { NullBackend } from "../../src/backends/protocols/null.ts";
import { ERRNO } from "../../src/base/errno.ts";
import { UserError } from "../../src/base/user_error.ts";
import { FakeFiles } from "./_fake_files.ts";
import { imageOptions } from "./_image_options.ts";

const MIB = 1 << 20;

/** Files, and how an image is opened on them. */
function fixture() {
  const files = new FakeFiles();
  files.add("disk.img", MIB);
  files.add("base.img", MIB);
  const open = (
    source: Parameters<typeof openImage>[0],
    options: Partial<ImageOptions> = {},
  ) => openImage(source, { ...imageOptions, ...options }, files.services());
  return { files, open };
}

/** A disk that logs when it is closed. */
class LoggingDisk extends ImageBackend {
  readonly size = MIB;
  readonly #log: string[];

  constructor(name: string, log: string[]) {
    super(name);
    this.#log = log;
  }

  read(): number {
    return 0;
  }

  override close(): void {
    this.#log.push(`close ${this.name}`);
  }
}

/** A format over two files, which can fail at each step. */
function layers(
  log: string[],
  fails: "never" | "on open" | "on attach" | "on stat" = "never",
): ImageDriver<null, null> {
  return {
    kind: "format",
    name: "layers",
    summary: "a format for the tests",
    usage: null,
    prefixes: [],
    needs: ["image"],
    async open(_source, context) {
      context.defer(() => void log.push("end layers"));
      await context.openBelow("disk.img");
      const base = { driver: RAW, source: "base.img" };
      await context.openBelow(base, { writable: false, direct: false });
      if (fails === "on open") throw new UserError("Cannot open: on purpose");
      return { attachment: null };
    },
    attach() {
      if (fails === "on attach") {
        throw new UserError("Cannot attach: on purpose");
      }
      const disk = Object.assign(new LoggingDisk("top", log), {
        writable: true,
      });
      if (fails === "on stat") {
        disk.stat = () => Promise.reject(new UserError("Cannot stat"));
      }
      return disk;
    },
  };
}

Deno.test("openImage opens a tree that closes from the top to the bottom", async () => {
  const { files, open } = fixture();
  const source = { driver: layers(files.log), source: null };
  const image = await open(source, {
    offset: 512,
    direct: true,
    writable: true,
  });
  assertEquals(image.name, "/images/disk.img");
  assertEquals(image.stat.size, MIB - 512);
  await image.close();
  assertEquals(files.log, [
    "open disk.img",
    "lock disk.img to write",
    "reopen disk.img (direct)",
    "probe disk.img by 4096 bytes",
    "close disk.img (direct)",
    "reopen disk.img",
    "reopen disk.img (direct)",
    "open base.img",
    "lock base.img to read",
    "reopen base.img",
    "close top",
    "close base.img",
    // The first descriptor, which has the lock, is closed last.
    "close base.img",
    "close disk.img (direct)",
    "close disk.img",
    "close disk.img",
    "end layers",
  ]);
  assertEquals(files.openCount, 0);
});

for (const fails of ["on open", "on attach", "on stat"] as const) {
  Deno.test(`openImage leaves nothing open if it failed ${fails}`, async () => {
    const { files, open } = fixture();
    const source = { driver: layers(files.log, fails), source: null };
    await assertRejects(() => open(source), UserError, "Cannot");
    assertEquals(files.openCount, 0);
    assertEquals(files.log.at(-1), "end layers");
  });
}

Deno.test("direct I/O that fails at the first transfer is refused", async () => {
  const { EINVAL, EIO, EOPNOTSUPP } = ERRNO;
  for (const errno of [EINVAL, EOPNOTSUPP]) {
    const { files, open } = fixture();
    files.probeResult = -errno;
    await assertRejects(
      () => open("disk.img", { direct: true }),
      UserError,
      "Cannot use direct I/O on disk.img: its file system has none; leave direct and loop-safe off",
    );
    assertEquals(files.openCount, 0);
  }
  // A bad sector at the start does not make the rest of the image useless.
  const { files, open } = fixture();
  files.probeResult = -EIO;
  await (await open("disk.img", { direct: true })).close();
  assertEquals(files.openCount, 0);
});

/** Images that are refused after something was opened. */
const REFUSED: Record<string, [ImageSource, Partial<ImageOptions>, string]> = {
  "a file that cannot be opened": [
    "missing.img",
    {},
    "Cannot open missing.img",
  ],
  "a file that looks like a driver": [
    "qed:disk.img",
    {},
    `no driver reads "qed:" either`,
  ],
  "a file without direct I/O": ["base.img", { direct: true }, "base.img"],
  "a part that starts beyond the end": [
    "disk.img",
    { offset: 2 * MIB },
    "Cannot export /images/disk.img from offset 2097152: it has 1048576 bytes; use a smaller offset",
  ],
  "a part that ends beyond the end": [
    "memory:1M",
    { offset: 4096, size: MIB },
    "Cannot export 1 MiB of memory:1M from offset 4096: it has 1048576 bytes",
  ],
  "a part of fixed size that should grow": [
    "disk.img",
    { size: 4096, growable: true, writable: true },
    "Cannot make a part of /images/disk.img growable: its size is fixed",
  ],
  "direct I/O from an offset that is not aligned": [
    "disk.img",
    { offset: 1000, direct: true },
    "the offset must be a multiple of 4096",
  ],
  "direct I/O on a disk in memory": [
    "memory:1M",
    { direct: true },
    "Cannot use direct I/O on memory:1M: only files and block devices have it",
  ],
  "writing to a read-only disk": [
    "pattern:1M",
    { writable: true },
    "Cannot export pattern:1M for writing: it is read-only",
  ],
  "an empty disk": [
    { backend: new NullBackend(0) },
    {},
    "Cannot open null: it is empty; choose another image",
  ],
  "a module that makes no backend": [
    { module: "data:text/javascript,export default () => 5" },
    {},
    "what it makes has no method stat()",
  ],
};

for (const [what, [source, options, message]] of Object.entries(REFUSED)) {
  Deno.test(`openImage refuses ${what} and leaves nothing open`, async () => {
    const { files, open } = fixture();
    files.refusesDirect.add("base.img");
    await assertRejects(() => open(source, options), UserError, message);
    assertEquals(files.openCount, 0);
  });
}

Deno.test("openImage adds no layer to a file without a filter", async () => {
  const { open } = fixture();
  const image = await open("disk.img", { writable: true });
  assertInstanceOf(image.backend, FileBackend);
  assertEquals(image.attachment, {
    driver: "raw",
    attachment: null,
    below: [{
      driver: "file",
      attachment: {
        name: "/images/disk.img",
        writable: true,
        fd: 100,
        alignment: null,
      },
      below: [],
    }],
  });
  await image.close();
});

Deno.test("openImage stacks filters in the registry's order", async () => {
  const { open } = fixture();
  const image = await open("memory:1M", {
    offset: 512,
    writethrough: true,
    writable: true,
  });
  const { attachment } = image;
  assertEquals(attachment?.driver, "writethrough");
  assertEquals(attachment?.below[0]?.driver, "window");
  assertEquals(attachment?.below[0]?.below[0]?.driver, "memory");
  await image.close();
});

Deno.test("OpenImage gives up the right to write only if it had it", async () => {
  const { files, open } = fixture();
  const writable = await open("disk.img", { writable: true, offset: 512 });
  writable.releaseWriteLock();
  await writable.close();
  assertEquals(files.log.splice(0), [
    "open disk.img",
    "lock disk.img to write",
    "reopen disk.img",
    "release disk.img",
    "close disk.img",
    "close disk.img",
  ]);
  const options = [{}, { writable: true, lock: false }];
  for (const each of options) {
    const image = await open("disk.img", each);
    image.releaseWriteLock();
    await image.close();
  }
  assertEquals(files.log.includes("release disk.img"), false);
});

Deno.test("OpenImage has a file only through filters and the raw format", async () => {
  const { files, open } = fixture();
  const fileOf = async (...args: Parameters<typeof open>) => {
    await using stack = new AsyncDisposableStack();
    const image = await open(...args);
    stack.defer(() => image.close());
    return image.file?.stat.kind ?? null;
  };
  assertEquals(await fileOf("disk.img"), "file");
  assertEquals(await fileOf("disk.img", { offset: 512 }), "file");
  assertEquals(await fileOf("memory:1M"), null);
  const source = { driver: layers(files.log), source: null };
  assertEquals(await fileOf(source), null);
});

Deno.test("only one thread can use an image that is not shared", async () => {
  const { files, open } = fixture();
  const unshared = await open({ backend: new LoggingDisk("own", files.log) });
  assertEquals(unshared.attachment, null);
  assertEquals(
    unshared.singleQueueReason,
    "the backend belongs to the calling thread",
  );
  await unshared.close();
  assertEquals(files.log, ["close own"]);
  const module = "data:text/javascript," + encodeURIComponent(
    `export default (shared) => ({
      name: "m", shared, writable: false, read: () => 0,
      stat: () => ({ size: 9, allocated: null, blockSize: 512, times: null }),
      close: () => undefined,
    })`,
  );
  for (const shared of [true, false]) {
    const image = await open({ module, options: shared }, { offset: 1 });
    assertEquals(image.attachment !== null, shared);
    assertEquals(
      image.singleQueueReason,
      shared ? null : "the backend sets shared to false",
    );
    await image.close();
  }
});
