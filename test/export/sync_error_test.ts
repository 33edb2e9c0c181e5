/** Which handle is told of an error that a flush of the image has found. */
import { assert, assertEquals, assertNotEquals } from "@std/assert";
import { MemoryBackend } from "../../src/backends/protocols/memory.ts";
import { createMemoryDisk } from "../../src/backends/protocols/memory.ts";
import { ERRNO } from "../../src/base/errno.ts";
import { O } from "../../src/base/file_flags.ts";
import { HANDLES_MAX } from "../../src/export/open_handles.ts";
import { decodeStruct } from "../../src/protocol/codec.ts";
import { FOPEN } from "../../src/protocol/flags.ts";
import { type Make, SIZE, testExport } from "./_fixtures.ts";

const BYTES = new Uint8Array(100).fill(7);
const { EBADF, EIO, ENFILE, ENOSPC } = ERRNO;

/** A disk whose next flush fails if bytes were lost since the last one. */
class LosingDisk extends MemoryBackend {
  readonly calls: string[] = [];
  #lost = 0;

  constructor() {
    super(createMemoryDisk(SIZE));
  }

  /** Loses bytes of earlier writes. */
  lose(errno: number = EIO): void {
    this.#lost = errno;
  }

  override write(...args: Parameters<MemoryBackend["write"]>): number {
    this.calls.push("write");
    return super.write(...args);
  }

  override flush(): number {
    this.calls.push("flush");
    const lost = this.#lost;
    this.#lost = 0;
    return -lost;
  }
}

/** An export of such a disk with two queues. */
function losing(make: Make) {
  const disk = new LosingDisk();
  const { client, another } = make({ backend: disk });
  const other = another();
  const fsync = (fh: bigint) => client.on("FSYNC", fh);
  return { disk, client, other, fsync };
}

testExport("each open handle is told once of a lost write", async (make) => {
  const { disk, client, other, fsync } = losing(make);
  const a = await client.open();
  const b = await client.open();
  const reader = await other.open(O.RDONLY);
  disk.lose();
  assertEquals(await fsync(a), EIO);
  assertEquals(await fsync(a), 0);
  assertEquals(await other.on("FSYNC", b), EIO);
  assertEquals(await fsync(b), 0);
  assertEquals(await fsync(reader), EIO);
  assertEquals(await fsync(reader), 0);
});

testExport("the error number is the image's", async (make) => {
  const { disk, client, fsync } = losing(make);
  const [a, b] = [await client.open(), await client.open()];
  disk.lose(ENOSPC);
  assertEquals(await fsync(a), ENOSPC);
  assertEquals(await fsync(b), ENOSPC);
});

testExport("several errors between two fsyncs are one", async (make) => {
  const { disk, client, fsync } = losing(make);
  const [a, b] = [await client.open(), await client.open()];
  for (let i = 0; i < 3; i++) {
    disk.lose();
    assertEquals(await fsync(a), EIO);
  }
  assertEquals(await fsync(b), EIO);
  assertEquals(await fsync(b), 0);
});

testExport(
  "an error that no client has seen is told to the next opener",
  async (make) => {
    const { disk, client, fsync } = losing(make);
    const a = await client.open();
    disk.lose();
    assertEquals(await client.on("FLUSH", a), EIO);
    await client.on("RELEASE", a);
    const bystander = await client.open();
    await client.on("RELEASE", bystander);
    const b = await client.open();
    assertEquals(await fsync(b), EIO);
    assertEquals(await fsync(b), 0);
    // It has been seen now.
    assertEquals(await fsync(await client.open()), 0);
  },
);

testExport(
  "a handle opened after an error was seen is not told, one open all along is",
  async (make) => {
    const { disk, client, fsync } = losing(make);
    const [a, b] = [await client.open(), await client.open()];
    disk.lose();
    assertEquals(await fsync(a), EIO);
    const c = await client.open();
    assertEquals([await fsync(c), await fsync(b)], [0, EIO]);
  },
);

testExport(
  "FLUSH reports an error to writers, and consumes none",
  async (make) => {
    const { disk, client, fsync } = losing(make);
    const a = await client.open();
    const b = await client.open(O.WRONLY);
    const reader = await client.open(O.RDONLY);
    disk.lose();
    assertEquals(await client.on("FLUSH", reader), 0);
    assertEquals(await client.on("FLUSH", b), EIO);
    assertEquals(await client.on("FLUSH", b), EIO);
    assertEquals(await client.on("RELEASE", b), 0);
    assertEquals(await fsync(a), EIO);
    assertEquals(await client.on("FLUSH", a), 0);
  },
);

testExport("OPEN for reading asks for no FLUSH", async (make) => {
  const { client } = make();
  for (const flags of [O.RDONLY, O.WRONLY, O.RDWR, O.RDWR | O.APPEND]) {
    const { body } = await client.send<"fuse_open_in">("OPEN", { flags });
    const { open_flags } = decodeStruct("fuse_open_out", body!);
    assertEquals((open_flags & FOPEN.NOFLUSH) !== 0, flags === O.RDONLY);
  }
});

testExport(
  "the number of a closed handle is never valid again",
  async (make) => {
    const { client } = make();
    const old = await client.open();
    assertEquals(await client.on("RELEASE", old), 0);
    for (let i = 0; i < 3; i++) assertNotEquals(await client.open(), old);
    for (const fh of [old, 0n, 2n ** 64n - 1n, 1n << 32n]) {
      assertEquals(await client.on("FSYNC", fh), EBADF);
      assertEquals(await client.on("FLUSH", fh), EBADF);
      const written = await client.write(0, BYTES, { fh, flags: O.DSYNC });
      assertEquals(written, -EBADF);
      assertEquals(await client.on("RELEASE", fh), 0);
    }
  },
);

Deno.test("OPEN gives ENFILE while all handles are open", async () => {
  const { exported } = await import("./_fixtures.ts");
  const { client } = exported();
  const handles = new Set<bigint>();
  for (let i = 0; i < HANDLES_MAX; i++) handles.add(await client.open());
  assertEquals(handles.size, HANDLES_MAX);
  assertEquals((await client.send("OPEN", {})).errno, ENFILE);
  const [first] = handles;
  await client.on("RELEASE", first!);
  const reopened = await client.open();
  assert(!handles.has(reopened));
  assertEquals((await client.send("OPEN", {})).errno, ENFILE);
  assertEquals(await client.on("FSYNC", reopened), 0);
});

testExport("a read-only export opens any number of handles", async (make) => {
  const { client } = make({ writable: false });
  for (let i = 0; i < HANDLES_MAX + 1; i++) await client.open(O.RDONLY);
});

const O_SYNC = 0o4010000;
for (const flags of [O.DSYNC, O_SYNC]) {
  testExport(
    `WRITE with flags 0o${flags.toString(8)} flushes`,
    async (make) => {
      const { disk, client } = losing(make);
      const fh = await client.open(O.RDWR);
      assertEquals(await client.write(0, BYTES, { fh }), 100);
      assertEquals(disk.calls.splice(0), ["write"]);
      assertEquals(await client.write(0, BYTES, { fh, flags }), 100);
      assertEquals(disk.calls.splice(0), ["write", "flush"]);
      disk.lose(ENOSPC);
      assertEquals(await client.write(0, BYTES, { fh, flags }), -ENOSPC);
      assertEquals(await client.write(0, BYTES, { fh, flags }), 100);
    },
  );
}

testExport("WRITE with O_DSYNC is told of errors as fsync is", async (make) => {
  const { disk, client, fsync } = losing(make);
  const [a, b] = [await client.open(), await client.open()];
  disk.lose();
  assertEquals(await fsync(a), EIO);
  const durable = { fh: b, flags: O.RDWR | O.DSYNC };
  assertEquals(await client.write(0, BYTES, durable), -EIO);
  assertEquals(await client.write(0, BYTES, durable), 100);
  assertEquals(await fsync(b), 0);
});

testExport(
  "WRITE with O_DSYNC fails if another flush failed meanwhile",
  async (make) => {
    const disk = new LosingDisk();
    const { client, another } = make({ backend: disk });
    const other = another();
    const [a, b] = [await client.open(), await client.open()];
    const write = disk.write.bind(disk);
    let overlaps = true;
    // Between the write and its own flush, another queue takes the error.
    disk.write = (...args) => {
      const put = write(...args);
      if (overlaps) {
        overlaps = false;
        disk.lose();
        void other.on("FSYNC", b);
      }
      return put;
    };
    const durable = { fh: a, flags: O.DSYNC };
    assertEquals(await client.write(0, BYTES, durable), -EIO);
    assertEquals(await client.write(0, BYTES, durable), 100);
  },
);

testExport("WRITE with O_DSYNC flushes nothing if it fails", async (make) => {
  const { disk, client } = losing(make);
  const fh = await client.open();
  disk.write = () => -ENOSPC;
  const flags = O.DSYNC;
  assertEquals(await client.write(0, BYTES, { fh, flags }), -ENOSPC);
  assertEquals(disk.calls, []);
});
