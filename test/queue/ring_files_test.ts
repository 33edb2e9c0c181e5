import { assert, assertEquals, unreachable } from "@std/assert";
import { ERRNO } from "../../src/base/errno.ts";
import { Completion } from "../../src/event/completion.ts";
import { FILE_CALL } from "../../src/queue/fuse_ring.ts";
import { RingFiles } from "../../src/queue/ring_files.ts";
import { FakeRing } from "./fake_ring.ts";

const FD = 9;

/** File calls on a ring that takes everything at once. */
function ringFiles(): { ring: FakeRing; files: RingFiles } {
  const ring = new FakeRing(1, 8192);
  const files = new RingFiles(ring, () => void ring.enter(0));
  return { ring, files };
}

/** Completes the call that was submitted last. */
function complete(ring: FakeRing, files: RingFiles, result: number): void {
  ring.complete(ring.fileCalls.at(-1)!.tag, result);
  assert(ring.take());
  files.completed(ring.tag - 2, ring.result);
  ring.enter(0);
}

/** What a call answers, given the results of its system calls. */
function answer(
  start: (files: RingFiles) => number | Completion<number>,
  ...results: number[]
): { result: number | null; calls: FakeRing["fileCalls"] } {
  const { ring, files } = ringFiles();
  const completion = start(files);
  assert(typeof completion !== "number");
  let result: number | null = null;
  completion.deliverTo({
    complete: (value) => result = value,
    fail: unreachable,
  });
  for (const next of results) complete(ring, files, next);
  return { result, calls: ring.fileCalls };
}

const BUFFER = new Uint8Array(100);
const read = (files: RingFiles) => files.read(FD, BUFFER, 0, 100, 5000);
const write = (files: RingFiles) => files.write(FD, BUFFER, 0, 100, 5000);

Deno.test("RingFiles makes the calls that it is asked for", () => {
  const { ring, files } = ringFiles();
  files.read(FD, BUFFER, 0, 100, 5000);
  files.write(FD, BUFFER, 20, 10, 2 ** 40);
  files.sync(FD);
  files.allocate(FD, 3, 4096, 8192);
  assertEquals(
    ring.fileCalls.map((c) => [c.call, c.fd, c.start, c.length, c.position]),
    [
      [FILE_CALL.READ, FD, 0, 100, 5000],
      [FILE_CALL.WRITE, FD, 20, 10, 2 ** 40],
      [FILE_CALL.SYNC, FD, 0, 0, 0],
      [FILE_CALL.ALLOCATE, FD, 3, 8192, 4096],
    ],
  );
  assertEquals(files.inFlight, 4);
  assertEquals(files.sync(FD), -ERRNO.EBUSY);
});

Deno.test("RingFiles goes on after a short transfer", () => {
  for (const start of [read, write]) {
    const { result, calls } = answer(start, 30, 70);
    assertEquals(result, 100);
    assertEquals(calls.map((c) => [c.start, c.length, c.position]), [
      [0, 100, 5000],
      [30, 70, 5030],
    ]);
  }
});

Deno.test("RingFiles repeats what was interrupted", () => {
  for (const start of [read, write, (f: RingFiles) => f.sync(FD)]) {
    const { result, calls } = answer(start, -ERRNO.EINTR, -ERRNO.EAGAIN, 0);
    assertEquals(calls.length, 3);
    assertEquals(result, start === write ? -ERRNO.EIO : 0);
  }
});

Deno.test("RingFiles answers short at the end of a file", () => {
  assertEquals(answer(read, 30, 0).result, 30);
  assertEquals(answer(read, 0).result, 0);
});

Deno.test("RingFiles answers what was written before the medium refused", () => {
  assertEquals(answer(write, 30, -ERRNO.ENOSPC).result, 30);
  assertEquals(answer(write, 30, 0).result, 30);
  assertEquals(answer(write, -ERRNO.ENOSPC).result, -ERRNO.ENOSPC);
  assertEquals(answer(read, 30, -ERRNO.EIO).result, -ERRNO.EIO);
});

Deno.test("RingFiles falls back where direct I/O is refused", () => {
  const { EINVAL } = ERRNO;
  const start = (files: RingFiles) => files.read(FD, BUFFER, 0, 100, 0, 8);
  const { result, calls } = answer(start, -EINVAL, 100);
  assertEquals([result, calls.map(({ fd }) => fd)], [100, [FD, 8]]);
  assertEquals(answer(start, -EINVAL, -EINVAL).result, -EINVAL);
  assertEquals(answer(read, -EINVAL).result, -EINVAL);
});

Deno.test("RingFiles keeps a result until it is consumed", async () => {
  const { ring, files } = ringFiles();
  const completion = files.sync(FD);
  complete(ring, files, -ERRNO.EIO);
  assertEquals(files.inFlight, 0);
  assertEquals(await completion, -ERRNO.EIO);
});

Deno.test("RingFiles frees a slot before the step that follows", () => {
  const { ring, files } = ringFiles();
  const completions = Array.from({ length: 4 }, () => files.sync(FD));
  assertEquals(files.sync(FD), -ERRNO.EBUSY);
  const last = completions.at(-1);
  assert(last instanceof Completion);
  let next: unknown;
  last.after({ run: () => next = files.sync(FD) });
  complete(ring, files, 0);
  assert(next instanceof Completion);
  assertEquals(files.inFlight, 4);
});

Deno.test("RingFiles fails what a closed ring cannot complete", async () => {
  const { files } = ringFiles();
  const completion = files.sync(FD);
  files.abandon();
  assertEquals(await completion, -ERRNO.ECANCELED);
  assertEquals(files.inFlight, 0);
  assertEquals(files.sync(FD), -ERRNO.ENODEV);
});
