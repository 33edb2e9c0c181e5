import { assert, assertEquals } from "@std/assert";
import { EventFd } from "../../src/linux/event_fd.ts";
import { openFuseRing } from "../../src/linux/fuse_ring.ts";
import { libc } from "../../src/linux/libc.ts";
import { pointerOf } from "../../src/linux/call_arguments.ts";
import { probeRing } from "../../src/linux/uring_probe.ts";
import { ERRNO } from "../../src/protocol/errno.ts";
import type { FuseRing } from "../../src/queue/fuse_ring.ts";
import { missingPermission, testIf } from "../requirements.ts";

const missing = missingPermission("ffi", "read") || missingRing();
// Opened here, it is none of what the first test would be said to leak.
if (missing === "") libc();

function missingRing(): string {
  const probe = probeRing();
  return probe.available ? "" : `needs io_uring: ${probe.reason}`;
}

function signal({ fd }: EventFd): void {
  const one = new Uint8Array(new BigUint64Array([1n]).buffer);
  assertEquals(libc().write(fd, pointerOf(one), 8n), 8);
}

/** Runs a test with a ring over something that is no /dev/fuse. */
async function withRing(
  body: (ring: FuseRing, event: EventFd) => void | Promise<void>,
): Promise<void> {
  const event = new EventFd();
  const ring = openFuseRing({ fd: event.fd, qids: [0, 1], payloadSize: 5000 });
  try {
    await body(ring, event);
  } finally {
    ring.close();
    ring.release();
    event.close();
  }
}

testIf(
  missing,
  "a ring's payloads are page-aligned and apart",
  () =>
    withRing((ring) => {
      const [first, second] = ring.entries;
      assertEquals(first!.headers.length, 288);
      assertEquals(first!.payload.length, 5000);
      assertEquals(first!.payload.byteOffset % 4096, 0);
      assertEquals(
        second!.payload.byteOffset - first!.payload.byteOffset,
        8192,
      );
      assertEquals([ring.lively, ring.dirty], [false, false]);
    }),
);

testIf(missing, "only /dev/fuse takes entries", () =>
  withRing((ring) => {
    ring.register(1);
    assertEquals(ring.enter(1), 0);
    assert(ring.take());
    assertEquals([ring.tag, ring.result], [1, -ERRNO.EOPNOTSUPP]);
  }));

testIf(
  missing,
  "a ring wakes whoever waits for it without sleeping",
  () =>
    withRing(async (ring, event) => {
      for (let i = 0; i < 3; i++) {
        ring.watch();
        assertEquals(ring.enter(0), 0);
        assertEquals(ring.take(), false);
        let ticks = 0;
        const timer = setInterval(() => ticks++, 5);
        const start = performance.now();
        const woken = ring.readable();
        setTimeout(() => signal(event), 50);
        await woken;
        clearInterval(timer);
        assert(performance.now() - start < 500);
        assert(ticks > 2);
        assertEquals(ring.enter(0), 0);
        assert(ring.take());
        assertEquals(ring.tag, 2);
        await event.signalled();
      }
    }),
);
