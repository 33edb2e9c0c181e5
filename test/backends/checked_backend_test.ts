import { assertEquals, assertRejects, assertThrows } from "@std/assert";
import type { Backend } from "../../src/backends/backend.ts";
import { CheckedBackend } from "../../src/backends/checked_backend.ts";
import {
  createMemoryDisk,
  MemoryBackend,
} from "../../src/backends/protocols/memory.ts";

const BUFFER = new Uint8Array(512);

/** Every call whose answer is a number, by what it may be at most. */
const CALLS: Readonly<
  Record<string, readonly [(backend: Backend) => unknown, number]>
> = {
  read: [(backend) => backend.read(0, BUFFER, 0, 512), 512],
  write: [(backend) => backend.write(0, BUFFER, 0, 512), 512],
  flush: [(backend) => backend.flush(), 0],
  truncate: [(backend) => backend.truncate(4096), 0],
  zero: [(backend) => backend.zero(0, 512, { unmap: false }), 0],
  allocate: [(backend) => backend.allocate(0, 512), 0],
  setTimes: [(backend) => backend.setTimes(0n, null), 0],
};

/** A backend with a method that answers as it is told to. */
function answering(method: string, value: unknown): CheckedBackend {
  const backend = new MemoryBackend(createMemoryDisk(4096));
  return new CheckedBackend(
    Object.assign(backend, { [method]: () => value }),
  );
}

for (const [method, [call, most]] of Object.entries(CALLS)) {
  Deno.test(`an answer to ${method}() that cannot be right is an error`, async () => {
    // The positive number of an error is the usual mistake.
    const mistakes = [
      ...[most + 5, 2 ** 31, 0.5, -2.5, NaN, Infinity, -5000],
      ...["0", 0n, true, null, undefined, {}, Symbol("s")],
    ];
    for (const value of mistakes) {
      assertThrows(
        () => call(answering(method, value)),
        TypeError,
        "The backend has returned ",
      );
      await assertRejects(
        async () => await call(answering(method, Promise.resolve(value))),
        TypeError,
        "The backend has returned ",
      );
    }
  });

  Deno.test(`an answer to ${method}() that can be right stays as it is`, async () => {
    for (const value of [0, most, -5, -511]) {
      assertEquals(call(answering(method, value)), value);
      const later = answering(method, Promise.resolve(value));
      assertEquals(await call(later), value);
    }
  });
}

Deno.test("an extent that ends where it begins is an error: a search would not end", () => {
  for (const end of [0, 100, NaN, "200", undefined]) {
    assertThrows(
      () => answering("extent", { data: true, end }).extent(100),
      TypeError,
      "expected the end of an extent at 100",
    );
  }
  const extent = { data: false, end: Infinity };
  assertEquals(answering("extent", extent).extent(100), extent);
});

Deno.test("a size that is none is an error", () => {
  for (const stat of [undefined, null, {}, { size: -1 }, { size: 0.5 }]) {
    assertThrows(() => answering("stat", stat).stat(), TypeError, "a size");
  }
});
