import { assert, assertEquals, assertMatch, assertThrows } from "@std/assert";
import {
  IORING_OP,
  IoUring,
  SQE,
  SQE_WORDS,
} from "../../src/linux/io/io_uring.ts";
import { EventRing } from "../../src/linux/io/event_ring.ts";
import { closeDescriptor } from "../../src/linux/syscall/descriptor.ts";
import { libc } from "../../src/linux/syscall/libc.ts";
import { waitForEvents } from "../../src/linux/syscall/poll.ts";
import { SystemError } from "../../src/linux/syscall/system_error.ts";
import {
  countCpus,
  ioUringRefusal,
  judgeUring,
  possibleCpus,
} from "../../src/linux/fuse/uring_probe.ts";
import { ERRNO } from "../../src/base/errno.ts";
import { POLL } from "../../src/base/file_flags.ts";
import { missingPermission, testIf } from "../requirements.ts";

const OP_NOP = 0;
/** The longest time in which the kernel takes a ring down, with other load. */
const END_MS = 60_000;

const missing = missingPermission("ffi", "read") || missingRing();
// Opened before the tests, so that the first one is not reported to leak it.
if (missing === "") libc();

function missingRing(): string {
  const probe = judgeUring({ enableUring: true, refused: ioUringRefusal() });
  return probe.available ? "" : `needs io_uring: ${probe.reason}`;
}

/** Runs a test with a ring whose slots are all filled with NOP. */
function withRing(slots: number, body: (ring: IoUring) => void): void {
  const ring = new IoUring(slots);
  try {
    for (let slot = 0; slot < ring.slots; slot++) {
      ring.sqes[slot * SQE_WORDS + SQE.OP] = OP_NOP;
      ring.sqes[slot * SQE_WORDS + SQE.USER_DATA] = slot + 100;
    }
    body(ring);
  } finally {
    ring.close();
    ring.close();
  }
}

function openPipe(): [readEnd: number, writeEnd: number] {
  const ends = new Int32Array(2);
  assertEquals(libc().pipe2(ends, 0), 0);
  return [ends[0]!, ends[1]!];
}

/** Takes all completions: tags and results. */
function taken(ring: IoUring): [tag: number, result: number][] {
  const all: [number, number][] = [];
  while (ring.take()) all.push([ring.tag, ring.result]);
  return all;
}

testIf(missing, "a ring completes what was pushed, by its tag", () => {
  withRing(4, (ring) => {
    assertEquals([ring.slots, ring.needsSubmit, ring.hasWork], [
      4,
      false,
      false,
    ]);
    ring.push(2);
    ring.push(0);
    assertEquals([ring.needsSubmit, ring.take()], [true, false]);
    assertEquals(ring.enter(1), 0);
    assertEquals([ring.needsSubmit, ring.hasWork], [false, true]);
    assertEquals(taken(ring), [[102, 0], [100, 0]]);
    assertEquals(ring.hasWork, false);
  });
});

testIf(missing, "a ring wraps around", () => {
  withRing(4, (ring) => {
    for (let i = 0; i < 1000; i++) {
      for (const slot of [3, 1, 0, 2]) ring.push(slot);
      assertEquals(ring.enter(1), 0);
      const tags = taken(ring).map(([tag]) => tag);
      assertEquals(tags, [103, 101, 100, 102]);
    }
  });
});

testIf(missing, "a ring returns the errors of single calls", () => {
  withRing(1, (ring) => {
    ring.sqes[SQE.OP] = IORING_OP.READ;
    ring.sqes[SQE.FD] = -1;
    ring.push(0);
    assertEquals(ring.enter(1), 0);
    assertEquals(taken(ring), [[100, -ERRNO.EBADF]]);
  });
});

testIf(
  missing,
  "a closed ring keeps no files open while its thread lives",
  async () => {
    const [readEnd, writeEnd] = openPipe();
    try {
      const ring = new IoUring(1);
      ring.registerFiles([writeEnd]);
      closeDescriptor(writeEnd);
      assertEquals(waitForEvents(readEnd, POLL.IN, 0), false);
      ring.close();
      // The kernel takes the ring down later. Without writers, the pipe ends.
      const deadline = performance.now() + END_MS;
      while (!waitForEvents(readEnd, POLL.IN, 0)) {
        assert(performance.now() < deadline, "the pipe is still open");
        await new Promise((resolve) => setTimeout(resolve, 10));
      }
    } finally {
      closeDescriptor(readEnd);
    }
  },
);

testIf(missing, "a ring without slots, or too many files, is refused", () => {
  const error = assertThrows(() => new IoUring(0), SystemError);
  assertEquals(error.code, "EINVAL");
  assertMatch(error.message, /^Cannot make an io_uring: /);
  withRing(1, (ring) => {
    const bad = assertThrows(() => ring.registerFiles([9999]), SystemError);
    assertEquals(bad.code, "EBADF");
  });
});

testIf(missing, "the number of possible CPUs is read from the kernel", () => {
  const cpus = possibleCpus();
  assert(cpus >= navigator.hardwareConcurrency, `${cpus}`);
});

Deno.test("countCpus() counts lists and ranges", () => {
  assertEquals(
    ["0", "0-1", "0-3,8", "0-63,128-191"].map(countCpus),
    [1, 2, 5, 128],
  );
});

Deno.test("judgeUring() says why io_uring is not available", () => {
  assertEquals(judgeUring({ enableUring: true, refused: null }), {
    available: true,
  });
  const reasons: [Parameters<typeof judgeUring>[0], RegExp][] = [
    [{ enableUring: null, refused: null }, /no FUSE over io_uring.*6\.14/],
    [{ enableUring: false, refused: null }, /echo Y > .*enable_uring/],
    [{ enableUring: true, refused: ERRNO.EPERM }, /may not use/],
    [{ enableUring: true, refused: ERRNO.ENOSYS }, /no io_uring/],
    [{ enableUring: true, refused: ERRNO.ENOMEM }, /memory/],
    [{ enableUring: true, refused: ERRNO.EINVAL }, /128-byte/],
    [{ enableUring: true, refused: ERRNO.EMFILE }, /EMFILE/],
  ];
  for (const [facts, expected] of reasons) {
    const probe = judgeUring(facts);
    assert(!probe.available);
    assertMatch(probe.reason, expected);
  }
});

/** A ring whose flag of waiting work is set although none waits. */
class FlaggedRing extends EventRing {
  override get hasWork(): boolean {
    return true;
  }
}

testIf(
  missing,
  "a wait for a ring does not end at once by a flag that is left over",
  async () => {
    const ring = new FlaggedRing(4);
    try {
      let ended = false;
      const wait = ring.readable().then(() => ended = true);
      for (let i = 0; i < 20; i++) {
        await new Promise((done) => setImmediate(done));
      }
      assertEquals(ended, false);
      ring.sqes[SQE.OP] = OP_NOP;
      ring.push(0);
      assertEquals(ring.enter(0), 0);
      await wait;
      assertEquals([ring.hasCompletion, ring.take()], [true, true]);
    } finally {
      ring.close();
    }
  },
);
