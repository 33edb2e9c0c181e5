import { assert, assertEquals, unreachable } from "@std/assert";
import { ERRNO } from "../../src/base/errno.ts";
import { Completion } from "../../src/event/completion.ts";
import { PollStrategy } from "../../src/event/poll_strategy.ts";
import { RingEvents } from "../../src/event/ring_events.ts";
import { FILE_CALL } from "../../src/event/file_operation.ts";
import { RingFileIo } from "../../src/event/ring_file_io.ts";
import { FakeFileSlots, FakeRing } from "../queue/fake_ring.ts";

const FD = 9;

interface Parts {
  readonly ring: FakeRing;
  readonly events: RingEvents;
  readonly slots: FakeFileSlots;
  readonly files: RingFileIo;
}

function fileIo(count = 8): Parts {
  const ring = new FakeRing();
  const events = new RingEvents(ring, new PollStrategy(0));
  const slots = new FakeFileSlots(ring, count);
  return { ring, events, slots, files: new RingFileIo(events, slots) };
}

/** Completes the call that was submitted last. */
function complete({ events, slots }: Parts, result: number): void {
  events.submit();
  slots.complete(result);
  events.wait(false);
  events.settle();
  events.submit();
}

/** The result of an operation, given the results of its system calls. */
function answer(
  start: (files: RingFileIo) => number | Completion<number>,
  ...results: number[]
): { result: number | null; calls: FakeFileSlots["calls"] } {
  const parts = fileIo();
  const result = answerOf(parts, start, results);
  return { result, calls: parts.slots.calls };
}

function answerOf(
  parts: Parts,
  start: (files: RingFileIo) => number | Completion<number>,
  results: readonly number[],
): number | null {
  const completion = start(parts.files);
  assert(typeof completion !== "number");
  let result: number | null = null;
  completion.deliverTo({
    complete: (value) => result = value,
    fail: unreachable,
  });
  for (const next of results) complete(parts, next);
  return result;
}

const BUFFER = new Uint8Array(100);
const read = (files: RingFileIo) => files.read(FD, BUFFER, 0, 100, 5000);
const write = (files: RingFileIo) => files.write(FD, BUFFER, 0, 100, 5000);

Deno.test("RingFileIo makes the system calls that are requested", () => {
  const { files, events, slots } = fileIo();
  files.read(FD, BUFFER, 0, 100, 5000);
  files.write(FD, BUFFER, 20, 10, 2 ** 40);
  files.sync(FD);
  files.allocate(FD, 3, 4096, 8192);
  files.truncate(FD, 2 ** 41);
  events.submit();
  assertEquals(
    slots.calls.map((c) => [c.call, c.fd, c.start, c.length, c.position]),
    [
      [FILE_CALL.READ, FD, 0, 100, 5000],
      [FILE_CALL.WRITE, FD, 20, 10, 2 ** 40],
      [FILE_CALL.SYNC, FD, 0, 0, 0],
      [FILE_CALL.ALLOCATE, FD, 3, 8192, 4096],
      [FILE_CALL.TRUNCATE, FD, 0, 0, 2 ** 41],
    ],
  );
  assertEquals(events.inFlight, 5);
});

Deno.test("RingFileIo continues after a short transfer", () => {
  for (const start of [read, write]) {
    const { result, calls } = answer(start, 30, 70);
    assertEquals(result, 100);
    assertEquals(calls.map((c) => [c.start, c.length, c.position]), [
      [0, 100, 5000],
      [30, 70, 5030],
    ]);
  }
});

Deno.test("RingFileIo repeats interrupted calls", () => {
  for (const start of [read, write, (f: RingFileIo) => f.sync(FD)]) {
    const { result, calls } = answer(start, -ERRNO.EINTR, -ERRNO.EAGAIN, 0);
    assertEquals(calls.length, 3);
    assertEquals(result, start === write ? -ERRNO.EIO : 0);
  }
});

Deno.test("RingFileIo makes calls itself while the kernel can start no thread", () => {
  const { ECANCELED, EIO, EINTR, ENOSPC } = ERRNO;
  const cases: [
    start: (files: RingFileIo) => number | Completion<number>,
    fromRing: number[],
    here: number[],
    result: number,
  ][] = [
    [read, [-ECANCELED], [100], 100],
    [write, [-ECANCELED], [100], 100],
    [(files) => files.sync(FD), [-ECANCELED], [0], 0],
    [(files) => files.sync(FD), [-ECANCELED], [-ENOSPC], -ENOSPC],
    [(files) => files.allocate(FD, 3, 4096, 8192), [-ECANCELED], [0], 0],
    [(files) => files.truncate(FD, 4096), [-ECANCELED], [0], 0],
    // The rest of a short transfer, each time in the same way.
    [write, [30, -ECANCELED, -ECANCELED], [50, 20], 100],
    [read, [30, -ECANCELED], [-EIO], 30],
    // Of the file itself.
    [write, [-ECANCELED], [-ECANCELED], -EIO],
    [write, [-ECANCELED, 100], [-EINTR], 100],
  ];
  for (const [start, fromRing, here, result] of cases) {
    const parts = fileIo();
    parts.slots.resultsHere = [...here];
    assertEquals(answerOf(parts, start, fromRing), result);
    const first = parts.slots.calls[0]!;
    const [same] = parts.slots.madeHere;
    assertEquals(same!.call, first.call);
    assertEquals(same!.fd, first.fd);
    assertEquals(parts.slots.madeHere.length, here.length);
    assertEquals(parts.events.inFlight, 0);
  }
});

Deno.test("RingFileIo makes the whole call itself, or what is left of it", () => {
  const parts = fileIo();
  parts.slots.resultsHere = [70];
  assertEquals(answerOf(parts, write, [30, -ERRNO.ECANCELED]), 100);
  assertEquals(parts.slots.madeHere, [{
    call: FILE_CALL.WRITE,
    fd: FD,
    buffer: BUFFER,
    start: 30,
    length: 70,
    position: 5030,
  }]);
});

Deno.test("RingFileIo returns a short count at the end of a file", () => {
  assertEquals(answer(read, 30, 0).result, 30);
  assertEquals(answer(read, 0).result, 0);
});

Deno.test("RingFileIo returns the bytes transferred before an error", () => {
  assertEquals(answer(write, 30, -ERRNO.ENOSPC).result, 30);
  assertEquals(answer(write, 30, 0).result, 30);
  assertEquals(answer(write, -ERRNO.ENOSPC).result, -ERRNO.ENOSPC);
  assertEquals(answer(read, 30, -ERRNO.EIO).result, 30);
  assertEquals(answer(read, -ERRNO.EIO).result, -ERRNO.EIO);
});

Deno.test("RingFileIo repeats a direct read with a bad sector, but no write", () => {
  const { EIO } = ERRNO;
  const bad = (files: RingFileIo) => files.read(FD, BUFFER, 0, 100, 0, 8);
  const { result, calls } = answer(bad, -EIO, 60, -EIO);
  assertEquals(result, 60);
  assertEquals(calls.map(({ fd, start }) => [fd, start]), [
    [FD, 0],
    [8, 0],
    [8, 60],
  ]);
  const put = (files: RingFileIo) => files.write(FD, BUFFER, 0, 100, 0, 8);
  assertEquals(answer(put, -EIO).result, -EIO);
});

Deno.test("RingFileIo falls back if direct I/O is refused", () => {
  const { EINVAL } = ERRNO;
  const start = (files: RingFileIo) => files.read(FD, BUFFER, 0, 100, 0, 8);
  const { result, calls } = answer(start, -EINVAL, 100);
  assertEquals([result, calls.map(({ fd }) => fd)], [100, [FD, 8]]);
  assertEquals(answer(start, -EINVAL, -EINVAL).result, -EINVAL);
  assertEquals(answer(read, -EINVAL).result, -EINVAL);
});

Deno.test("RingFileIo keeps a result until it is consumed", async () => {
  const parts = fileIo();
  const completion = parts.files.sync(FD);
  complete(parts, -ERRNO.EIO);
  assertEquals(parts.events.inFlight, 0);
  assertEquals(await completion, -ERRNO.EIO);
});

Deno.test("RingFileIo starts an operation within the step of another one", () => {
  const parts = fileIo();
  const { files, events } = parts;
  const completion = files.sync(FD);
  assert(completion instanceof Completion);
  let next: unknown;
  completion.after({ run: () => next = files.sync(FD) });
  complete(parts, 0);
  assert(next instanceof Completion);
  assertEquals(events.inFlight, 1);
});

Deno.test("RingFileIo leaves slots to reads, and lets the rest wait in turn", async () => {
  const { ring, files, events, slots } = fileIo(4);
  const step = () => {
    events.submit();
    events.wait(false);
    events.settle();
    events.submit();
  };
  const starts = () => slots.calls.map(({ start }) => start);
  const writes = [0, 1, 2, 3].map((start) =>
    files.write(FD, BUFFER, start, 10, 0)
  );
  step();
  assertEquals(starts(), [0, 1]);
  const reads = [4, 5, 6].map((start) => files.read(FD, BUFFER, start, 10, 0));
  step();
  assertEquals(starts(), [0, 1, 4, 5]);
  // A read goes before writes that have waited for longer.
  ring.complete(slots.calls[0]!.tag, 10);
  step();
  assertEquals(starts(), [0, 1, 4, 5, 6]);
  ring.complete(slots.calls[2]!.tag, 10);
  step();
  assertEquals(starts(), [0, 1, 4, 5, 6, 2]);
  ring.complete(slots.calls[1]!.tag, 10);
  step();
  assertEquals(starts(), [0, 1, 4, 5, 6, 2, 3]);
  for (const { tag } of slots.calls.slice(3)) ring.complete(tag, 10);
  step();
  assertEquals(events.inFlight, 0);
  for (const each of [...writes, ...reads]) assertEquals(await each, 10);
});

Deno.test("RingFileIo fails operations that a closed ring cannot complete", async () => {
  const { ring, files, events } = fileIo(1);
  const first = files.sync(FD);
  const waiting = files.sync(FD);
  ring.enterResult = -ERRNO.EBADF;
  events.close();
  assertEquals(await first, -ERRNO.ECANCELED);
  assertEquals(await waiting, -ERRNO.ECANCELED);
  assertEquals(events.inFlight, 0);
  assertEquals(files.sync(FD), -ERRNO.ENODEV);
});

Deno.test("RingFileIo lets a thread block if no operation of it is in flight", () => {
  const { ring, files: strict, events } = fileIo();
  assertEquals(strict.mayBlock(), false);
  const limit = { allows: true, calls: 0 };
  const files = new RingFileIo(events, new FakeFileSlots(ring), {
    tryEnter: (rarely) => {
      const enters = limit.allows || rarely === true;
      if (enters) limit.calls++;
      return enters;
    },
    leave: () => limit.calls--,
  });
  assertEquals(files.mayBlock(), true);
  assertEquals(limit.calls, 1);
  files.unblock();
  assertEquals(limit.calls, 0);
  limit.allows = false;
  assertEquals(files.mayBlock(), false);
  assertEquals(files.mayBlock(true), true);
  files.unblock();
  limit.allows = true;
  strict.sync(FD);
  assertEquals(files.mayBlock(), false);
  assertEquals(limit.calls, 0);
});
