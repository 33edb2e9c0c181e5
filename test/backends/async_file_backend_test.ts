import { assertEquals, assertThrows } from "@std/assert";
import type { BlockFile } from "../../src/backends/block_file.ts";
import { WindowBackend } from "../../src/backends/filters/window.ts";
import { DirectFile } from "../../src/backends/protocols/file/direct_file.ts";
import { FileBackend } from "../../src/backends/protocols/file/file_backend.ts";
import type { FileIo } from "../../src/event/file_io.ts";
import type { FileSlots } from "../../src/event/file_operation.ts";
import type { Ring } from "../../src/event/ring.ts";
import { RingEvents } from "../../src/event/ring_events.ts";
import { RingFileIo } from "../../src/event/ring_file_io.ts";
import { EventRing } from "../../src/linux/io/event_ring.ts";
import { LinuxFileSlots } from "../../src/linux/io/file_slots.ts";
import { AsyncFileBackend } from "../../src/backends/protocols/file/async_file_backend.ts";
import { RemoteFileBackend } from "../../src/backends/protocols/file/remote_file_backend.ts";
import { openBlockFile } from "../../src/linux/io/open_block_file.ts";
import { libc } from "../../src/linux/syscall/libc.ts";
import {
  ioUringRefusal,
  judgeUring,
} from "../../src/linux/fuse/uring_probe.ts";
import { ERRNO } from "../../src/base/errno.ts";
import { FALLOC_FL } from "../../src/base/file_flags.ts";
import { missingPermission } from "../requirements.ts";
import { FakeRing } from "../queue/fake_ring.ts";
import { FakeBlockFile } from "./_fake_block_file.ts";
import { type Opened, testBackend } from "./backend_suite.ts";

const missing = missingPermission("ffi", "read", "write") || missingRing();
// Opened here, so that it does not count as a leak of the first test.
if (missing === "") libc();

function missingRing(): string {
  const probe = judgeUring({ enableUring: true, refused: ioUringRefusal() });
  return probe.available ? "" : `needs io_uring: ${probe.reason}`;
}

/** A ring and its slots for file I/O. */
interface Parts {
  readonly ring: Ring;
  readonly slots: FileSlots;
}

function ringParts(): Parts {
  const ring = new EventRing(4);
  return { ring, slots: new LinuxFileSlots(ring, 4) };
}

/** A ring whose kernel can start no thread for any call. */
function starvedParts(): Parts {
  const ring = new FakeRing();
  // Its slots are never pushed, but make calls in this thread.
  const { ring: unused, slots: plain } = ringParts();
  unused.close();
  const first = ring.reserve(plain.count);
  const refuse = (slot: number) => {
    const tag = first + slot;
    ring.fill(tag, () => ring.post(tag, -ERRNO.ECANCELED));
    ring.push(tag);
  };
  const slots: FileSlots = {
    first,
    count: plain.count,
    prepare: refuse,
    repeat: refuse,
    makeHere: (...args) => plain.makeHere(...args),
  };
  return { ring, slots };
}

/** File I/O on an io_uring without a FUSE connection. */
function openFileIo({ ring, slots }: Parts): { fileIo: FileIo; close(): void } {
  const events = new RingEvents(ring);
  const files = new RingFileIo(events, slots);
  const pump = () => {
    if (events.inFlight === 0) return;
    events.wait(true);
    events.settle();
    queueMicrotask(pump);
  };
  /** Completes started operations, once the caller can await them. */
  const pumped = <R>(result: R): R => {
    queueMicrotask(pump);
    return result;
  };
  const fileIo: FileIo = {
    read: (...args) => pumped(files.read(...args)),
    write: (...args) => pumped(files.write(...args)),
    sync: (fd) => pumped(files.sync(fd)),
    allocate: (...args) => pumped(files.allocate(...args)),
    truncate: (...args) => pumped(files.truncate(...args)),
    mayBlock: () => false,
    unblock: () => {},
  };
  return { fileIo, close: () => events.close() };
}

async function openImage(
  parent: string,
  size: number,
  direct: boolean,
  offset: number,
  kind: typeof AsyncFileBackend = AsyncFileBackend,
  makeParts: () => Parts = ringParts,
): Promise<Opened> {
  const prefix = "mqfuse_backend_";
  const directory = await Deno.makeTempDir({ dir: parent, prefix });
  const path = `${directory}/disk.img`;
  await Deno.writeFile(path, new Uint8Array());
  await Deno.truncate(path, size + offset);
  const cached = openBlockFile(path, { writable: true });
  const file: BlockFile = direct
    ? new DirectFile({
      direct: openBlockFile(path, { writable: true, direct: true }),
      cached,
      alignment: 4096,
    })
    : cached;
  const { fileIo, close } = openFileIo(makeParts());
  const whole = new kind({
    file,
    io: fileIo,
    name: path,
    writable: true,
  });
  return {
    backend: offset === 0
      ? whole
      : new WindowBackend(whole, { offset, size: null }),
    end: async () => {
      close();
      file.close();
      await Deno.remove(directory, { recursive: true });
    },
  };
}

for (const [what, parent] of [["a disk", "/var/tmp"], ["tmpfs", "/dev/shm"]]) {
  for (const direct of [false, true]) {
    for (const offset of [0, 4096, 1000]) {
      const how = direct ? "direct" : "cached";
      testBackend({
        name: `AsyncFileBackend on ${what}, ${how}, from ${offset}`,
        missing,
        open: (size) => openImage(parent!, size, direct, offset),
      });
    }
  }
}

testBackend({
  name: "RemoteFileBackend",
  missing,
  open: (size) => openImage("/var/tmp", size, false, 0, RemoteFileBackend),
});

testBackend({
  name: "AsyncFileBackend without threads for its calls",
  missing,
  open: (size) =>
    openImage("/var/tmp", size, false, 0, AsyncFileBackend, starvedParts),
});

/** File I/O that records its calls. */
class FakeIo implements FileIo {
  readonly calls: unknown[][] = [];
  answer = 0;
  allowed = false;

  read(
    fd: number,
    _buffer: Uint8Array,
    start: number,
    length: number,
    at: number,
  ): number {
    return this.#call("read", fd, start, length, at);
  }

  write(
    fd: number,
    _buffer: Uint8Array,
    start: number,
    length: number,
    at: number,
  ): number {
    return this.#call("write", fd, start, length, at);
  }

  sync(fd: number): number {
    return this.#call("sync", fd);
  }

  allocate(fd: number, mode: number, at: number, length: number): number {
    return this.#call("allocate", fd, mode, at, length);
  }

  mayBlock(): boolean {
    return this.allowed;
  }

  unblock(): void {
    this.#call("unblock");
  }

  truncate(fd: number, size: number): number {
    return this.#call("truncate", fd, size);
  }

  #call(...call: unknown[]): number {
    this.calls.push(call);
    return this.answer;
  }
}

function parts(preadNow?: BlockFile["preadNow"]) {
  const file: FakeBlockFile & Pick<BlockFile, "preadNow" | "futimensLater"> =
    new FakeBlockFile(8192);
  if (preadNow !== undefined) file.preadNow = preadNow;
  const io = new FakeIo();
  const options = { file, io, name: "x", writable: true };
  return { file, io, backend: new AsyncFileBackend(options) };
}

const BUFFER = new Uint8Array(4096);
const { KEEP_SIZE, PUNCH_HOLE, ZERO_RANGE } = FALLOC_FL;

Deno.test("AsyncFileBackend reads asynchronously only if bytes are not cached", () => {
  let cached = 4096;
  const { io, backend } = parts(() => cached);
  assertEquals(backend.read(0, BUFFER, 0, 4096), 4096);
  assertEquals(io.calls, []);
  cached = 512;
  io.answer = 4096;
  assertEquals(backend.read(0, BUFFER, 0, 4096), 4096);
  assertEquals(io.calls, [["read", -1, 0, 4096, 0]]);
});

Deno.test("AsyncFileBackend does not repeat preadNow() if it is not supported", () => {
  let asked = 0;
  const { io, backend } = parts(() => {
    asked++;
    return -ERRNO.EOPNOTSUPP;
  });
  backend.read(0, BUFFER, 0, 4096);
  backend.read(0, BUFFER, 0, 4096);
  assertEquals([asked, io.calls.length], [1, 2]);
});

Deno.test("AsyncFileBackend passes on the start in the buffer", () => {
  const { io, backend } = parts(() => 0);
  io.answer = 512;
  assertEquals(backend.read(1024, BUFFER, 256, 512), 512);
  assertEquals(io.calls, [["read", -1, 256, 512, 1024]]);
});

Deno.test("AsyncFileBackend makes no call that changes the file itself", async () => {
  const { io, backend } = parts();
  await backend.write(0, BUFFER, 256, 512);
  await backend.flush();
  await backend.truncate(4096);
  await backend.allocate(0, 4096);
  await backend.zero(0, 4096, { unmap: true });
  await backend.zero(0, 4096, { unmap: false });
  assertEquals(io.calls, [
    ["write", -1, 256, 512, 0],
    ["sync", -1],
    ["truncate", -1, 4096],
    ["allocate", -1, KEEP_SIZE, 0, 4096],
    ["allocate", -1, KEEP_SIZE | PUNCH_HOLE, 0, 4096],
    ["allocate", -1, KEEP_SIZE | ZERO_RANGE, 0, 4096],
  ]);
});

Deno.test("AsyncFileBackend writes by itself where the thread may block", () => {
  const { file, io, backend } = parts();
  io.allowed = true;
  assertEquals(backend.write(512, BUFFER, 0, 4096), 4096);
  assertEquals(io.calls, [["unblock"]]);
  file.pwrite = () => {
    throw new RangeError("It fails");
  };
  assertThrows(() => backend.write(512, BUFFER, 0, 4096), RangeError);
  assertEquals(io.calls, [["unblock"], ["unblock"]]);
});

Deno.test("AsyncFileBackend truncates by itself where an io_uring cannot", async () => {
  const { file, io, backend } = parts();
  io.answer = -ERRNO.EINVAL;
  assertEquals(await backend.truncate(4096), 0);
  assertEquals(file.size, 4096);
});

Deno.test("AsyncFileBackend sets times one at a time, in another thread", async () => {
  const { file, backend } = parts();
  const set: unknown[] = [];
  const waiting: ((result: number) => void)[] = [];
  file.futimensLater = (...times: unknown[]) => {
    set.push(times);
    return new Promise((resolve) => waiting.push(resolve));
  };
  const first = backend.setTimes(1n, null);
  const second = backend.setTimes(null, 2n);
  await Promise.resolve();
  assertEquals(set, [[1n, null]]);
  waiting.shift()!(-ERRNO.EPERM);
  assertEquals(await first, -ERRNO.EPERM);
  assertEquals(set, [[1n, null], [null, 2n]]);
  waiting.shift()!(0);
  assertEquals(await second, 0);
});

/** Counts its transfers. */
class CountingFile extends FakeBlockFile {
  transfers = 0;

  override pread(...call: Parameters<BlockFile["pread"]>): number {
    this.transfers++;
    return super.pread(...call);
  }

  override pwrite(...call: Parameters<BlockFile["pwrite"]>): number {
    this.transfers++;
    return super.pwrite(...call);
  }
}

Deno.test("DirectFile uses direct I/O for whole blocks", () => {
  const direct = new CountingFile(8192);
  const cached = new CountingFile(8192);
  const file = new DirectFile({ direct, cached, alignment: 512 });
  const backend = new FileBackend(file, "x", true);
  backend.read(512, BUFFER, 0, 1024);
  backend.write(512, BUFFER, 0, 1024);
  assertEquals([direct.transfers, cached.transfers], [2, 0]);
  backend.read(100, BUFFER, 0, 1024);
  backend.write(512, BUFFER, 0, 100);
  assertEquals([direct.transfers, cached.transfers], [2, 2]);
  assertEquals(backend.needsExclusiveWrite(512, 1024), false);
  assertEquals(backend.needsExclusiveWrite(512, 100), true);
  assertEquals(backend.needsExclusiveWrite(100, 512), true);
});

Deno.test("DirectFile uses the page cache if memory is not aligned", () => {
  const direct = new FakeBlockFile(8192, {
    errors: {
      pread: { errno: ERRNO.EINVAL },
      pwrite: { errno: ERRNO.EINVAL },
    },
  });
  const cached = new FakeBlockFile(8192);
  const file = new DirectFile({ direct, cached, alignment: 512 });
  assertEquals(file.pread(BUFFER, 0, 512, 0), 512);
  assertEquals(file.pwrite(BUFFER, 0, 512, 0), 512);
});

Deno.test("DirectFile reads through the page cache after an error, but does not write", () => {
  const errors = { pread: { errno: ERRNO.EIO }, pwrite: { errno: ERRNO.EIO } };
  const direct = new FakeBlockFile(8192, { errors });
  const cached = new FakeBlockFile(8192);
  const file = new DirectFile({ direct, cached, alignment: 512 });
  assertEquals(file.pread(BUFFER, 0, 512, 0), 512);
  assertEquals(file.pwrite(BUFFER, 0, 512, 0), -ERRNO.EIO);
});
