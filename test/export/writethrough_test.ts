import { assertEquals, assertRejects } from "@std/assert";
import type { Answer } from "../../src/backends/backend.ts";
import {
  createMemoryDisk,
  MemoryBackend,
} from "../../src/backends/protocols/memory.ts";
import { WritethroughBackend } from "../../src/backends/filters/writethrough.ts";
import { ERRNO } from "../../src/base/errno.ts";
import { PollStrategy } from "../../src/event/poll_strategy.ts";
import { RingEvents } from "../../src/event/ring_events.ts";
import { FILE_CALL } from "../../src/event/file_operation.ts";
import { RingFileIo } from "../../src/event/ring_file_io.ts";
import { FakeFileSlots, FakeRing } from "../queue/fake_ring.ts";
import { exported, SIZE, testExport } from "./_fixtures.ts";

const BYTES = new Uint8Array(100).fill(7);

/** A disk that notes calls of it, and answers at once or later. */
class NotingDisk extends MemoryBackend {
  readonly calls: string[] = [];
  readonly #later: boolean;
  flushResult = 0;

  constructor(later = false) {
    super(createMemoryDisk(SIZE, { growable: true }));
    this.#later = later;
  }

  override write(...args: Parameters<MemoryBackend["write"]>): never {
    this.calls.push("write");
    return this.#answer(super.write(...args)) as never;
  }

  override truncate(size: number): never {
    this.calls.push("truncate");
    return this.#answer(super.truncate(size)) as never;
  }

  override zero(...args: Parameters<MemoryBackend["zero"]>): never {
    this.calls.push("zero");
    return this.#answer(super.zero(...args)) as never;
  }

  override flush(): never {
    this.calls.push("flush");
    return this.#answer(this.flushResult) as never;
  }

  #answer(result: number): Answer {
    return this.#later ? Promise.resolve(result) : result;
  }
}

testExport("writethrough does not change answers", async (make) => {
  const { client } = make({ writethrough: true, growable: true });
  assertEquals(await client.write(SIZE - 50, BYTES), 100);
  const all = await client.readAll();
  assertEquals(all.lastIndexOf(7), SIZE + 49);
});

for (const later of [false, true]) {
  const when = later ? "later" : "at once";
  Deno.test(`writethrough flushes after each change, ${when}`, async () => {
    const backend = new NotingDisk(later);
    const { client } = exported({
      backend,
      writethrough: true,
      growable: true,
    });
    assertEquals(await client.write(0, BYTES), 100);
    assertEquals(backend.calls.splice(0), ["write", "flush"]);
    assertEquals(await client.write(SIZE, BYTES), 100);
    assertEquals(backend.calls.splice(0), [
      "truncate",
      "flush",
      "write",
      "flush",
    ]);
    backend.flushResult = -ERRNO.EIO;
    assertEquals(await client.write(0, BYTES), -ERRNO.EIO);
  });

  Deno.test(`without writethrough nothing is flushed, ${when}`, async () => {
    const backend = new NotingDisk(later);
    const { client } = exported({ backend });
    assertEquals(await client.write(0, BYTES), 100);
    assertEquals(backend.calls, ["write"]);
  });
}

Deno.test("WritethroughBackend does not flush after a call that failed", async () => {
  const disk = new NotingDisk();
  disk.write = () => -ERRNO.ENOSPC as never;
  const backend = new WritethroughBackend(disk);
  assertEquals(await backend.write(0, BYTES, 0, 100), -ERRNO.ENOSPC);
  assertEquals(disk.calls, []);
  disk.write = () => Promise.reject(new Error("It fails")) as never;
  await assertRejects(async () => await backend.write(0, BYTES, 0, 100), Error);
  assertEquals(disk.calls, []);
});

Deno.test("WritethroughBackend sets times if the image does", () => {
  const disk = new NotingDisk();
  const set: unknown[] = [];
  disk.setTimes = (...times) => set.push(times);
  assertEquals(new WritethroughBackend(disk).setTimes(1n, null), 1);
  assertEquals(set, [[1n, null]]);
});

Deno.test("WritethroughBackend starts its flush when the write is settled", async () => {
  const ring = new FakeRing();
  const events = new RingEvents(ring, new PollStrategy(0));
  const slots = new FakeFileSlots(ring);
  const files = new RingFileIo(events, slots);
  const disk = new NotingDisk();
  disk.write = (_at, from, _start, length) =>
    files.write(9, from, 0, length, 0) as never;
  disk.flush = () => files.sync(9) as never;
  const complete = (result: number) => {
    events.submit();
    slots.complete(result);
    events.wait(false);
    events.settle();
    events.submit();
  };
  for (const [flushed, expected] of [[0, 100], [-ERRNO.EIO, -ERRNO.EIO]]) {
    const answer = new WritethroughBackend(disk).write(0, BYTES, 0, 100);
    complete(100);
    // At once: the thread may sleep only while operations are in flight.
    assertEquals(events.inFlight, 1);
    assertEquals(slots.calls.at(-1)!.call, FILE_CALL.SYNC);
    complete(flushed!);
    assertEquals(events.inFlight, 0);
    assertEquals(await answer, expected);
  }
});
