import { assert, assertEquals, assertThrows } from "@std/assert";
import { ERRNO } from "../../src/base/errno.ts";
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
  start: (files: RingFiles) => number | PromiseLike<number>,
  ...results: number[]
): { result: number | null; calls: FakeRing["fileCalls"] } {
  const { ring, files } = ringFiles();
  const late = start(files);
  assert(typeof late !== "number");
  let result: number | null = null;
  late.then((value) => result = value);
  for (const next of results) complete(ring, files, next);
  return { result, calls: ring.fileCalls };
}

const BUFFER = new Uint8Array(100);
const read = (files: RingFiles) => files.read(FD, BUFFER, 100, 5000);
const write = (files: RingFiles) => files.write(FD, BUFFER, 100, 5000);

Deno.test("RingFiles makes the calls that it is asked for", () => {
  const { ring, files } = ringFiles();
  files.read(FD, BUFFER, 100, 5000);
  files.write(FD, BUFFER, 10, 2 ** 40);
  files.sync(FD);
  files.allocate(FD, 3, 4096, 8192);
  assertEquals(
    ring.fileCalls.map((c) => [c.call, c.fd, c.start, c.length, c.position]),
    [
      [FILE_CALL.READ, FD, 0, 100, 5000],
      [FILE_CALL.WRITE, FD, 0, 10, 2 ** 40],
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
  const start = (files: RingFiles) => files.read(FD, BUFFER, 100, 0, 8);
  const { result, calls } = answer(start, -EINVAL, 100);
  assertEquals([result, calls.map(({ fd }) => fd)], [100, [FD, 8]]);
  assertEquals(answer(start, -EINVAL, -EINVAL).result, -EINVAL);
  assertEquals(answer(read, -EINVAL).result, -EINVAL);
});

Deno.test("RingFiles keeps an answer until somebody asks", async () => {
  const { ring, files } = ringFiles();
  const late = files.sync(FD);
  complete(ring, files, -ERRNO.EIO);
  assertEquals(files.inFlight, 0);
  assertEquals(await late, -ERRNO.EIO);
});

Deno.test("RingFiles gives nothing to chain on", () => {
  const { files } = ringFiles();
  const late = files.sync(FD);
  assert(typeof late !== "number");
  const chained = late.then(() => {});
  assertThrows(() => chained.then(() => {}), TypeError, "twice");
});

Deno.test("RingFiles fails what a closed ring cannot complete", async () => {
  const { files } = ringFiles();
  const late = files.sync(FD);
  files.abandon();
  assertEquals(await late, -ERRNO.ECANCELED);
  assertEquals(files.inFlight, 0);
  assertEquals(files.sync(FD), -ERRNO.ENODEV);
});
