import { assert, assertEquals } from "@std/assert";
import {
  closeDescriptor,
  OPEN,
  openDescriptor,
} from "../../src/linux/syscall/descriptor.ts";
import {
  type FuseRing,
  openFuseRing,
} from "../../src/linux/fuse/ring_entries.ts";
import { libc } from "../../src/linux/syscall/libc.ts";
import { pointerOf } from "../../src/linux/syscall/ffi_values.ts";
import {
  ioUringRefusal,
  judgeUring,
} from "../../src/linux/fuse/uring_probe.ts";
import { ERRNO } from "../../src/base/errno.ts";
import { missingPermission, testIf } from "../requirements.ts";

const missing = missingPermission("ffi", "read", "write", "run") ||
  missingRing();
// Opened before the tests, so that the first one is not reported to leak it.
if (missing === "") libc();

function missingRing(): string {
  const probe = judgeUring({ enableUring: true, refused: ioUringRefusal() });
  return probe.available ? "" : `needs io_uring: ${probe.reason}`;
}

/** Runs a test with a ring over a pipe, which is no /dev/fuse. */
async function withRing(
  body: (uring: FuseRing, pipe: number) => void | Promise<void>,
): Promise<void> {
  const directory = await Deno.makeTempDir({ prefix: "mqfuse_ring_" });
  const path = `${directory}/pipe`;
  await new Deno.Command("mkfifo", { args: [path] }).output();
  const pipe = openDescriptor(path, OPEN.RDWR);
  const uring = openFuseRing({ fd: pipe, qids: [0, 1], payloadSize: 5000 });
  try {
    await body(uring, pipe);
  } finally {
    uring.ring.close();
    uring.entries.release();
    closeDescriptor(pipe);
    await Deno.remove(directory, { recursive: true });
  }
}

testIf(
  missing,
  "the payloads of entries are page-aligned and apart",
  () =>
    withRing(({ ring, entries }) => {
      const [first, second] = entries.entries;
      assertEquals(first!.headers.length, 288);
      assertEquals(first!.payload.length, 5000);
      assertEquals(first!.payload.byteOffset % 4096, 0);
      assertEquals(
        second!.payload.byteOffset - first!.payload.byteOffset,
        8192,
      );
      assertEquals([ring.hasWork, ring.needsSubmit], [false, false]);
    }),
);

testIf(
  missing,
  "only /dev/fuse takes entries",
  () =>
    withRing(({ ring, entries }) => {
      entries.register(1);
      assertEquals(ring.enter(1), 0);
      assert(ring.take());
      assertEquals([ring.tag, ring.result], [1, -ERRNO.EOPNOTSUPP]);
    }),
);

testIf(
  missing,
  "a ring resolves readable() without blocking the thread",
  () =>
    withRing(async ({ ring, entries }, pipe) => {
      const byte = new Uint8Array(new ArrayBuffer(1));
      for (let i = 0; i < 3; i++) {
        entries.pollDevice();
        assertEquals(ring.enter(0), 0);
        assertEquals(ring.take(), false);
        let ticks = 0;
        const timer = setInterval(() => ticks++, 5);
        const start = performance.now();
        setTimeout(() => libc().write(pipe, pointerOf(byte), 1n), 50);
        await ring.readable();
        clearInterval(timer);
        assert(performance.now() - start < 500);
        assert(ticks > 2);
        assertEquals(ring.enter(0), 0);
        assert(ring.take());
        assertEquals(ring.tag, 2);
        assertEquals(libc().read(pipe, pointerOf(byte), 1n), 1);
      }
    }),
);
