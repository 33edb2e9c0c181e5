import { assertEquals, assertThrows } from "@std/assert";
import { UserError } from "../../src/base/user_error.ts";
import {
  createMemoryDisk,
  MemoryBackend,
} from "../../src/backends/protocols/memory.ts";
import { NullBackend } from "../../src/backends/protocols/null.ts";
import { missingPermission, testIf } from "../requirements.ts";

const EFBIG = 27;
const ENOSPC = 28;
const CHUNK = 65536;

Deno.test("NullBackend has the size that it was truncated to", () => {
  const backend = new NullBackend(10);
  assertEquals(backend.truncate(5), 0);
  assertEquals(backend.stat().size, 5);
});

Deno.test("createMemoryDisk names the size if there is not enough memory", () => {
  const error = assertThrows(() => createMemoryDisk(2 ** 52), UserError);
  assertEquals(
    error.message,
    `Cannot make a memory disk of ${
      2 ** 52
    } bytes: not enough memory; use a smaller size or a sparse file`,
  );
});

Deno.test("MemoryBackend of fixed size cannot grow beyond it", () => {
  const backend = new MemoryBackend(createMemoryDisk(100));
  assertEquals(backend.truncate(101), -ENOSPC);
  assertEquals(backend.truncate(0), 0);
  assertEquals(backend.truncate(100), 0);
  assertEquals(backend.truncate(101), -ENOSPC);
});

Deno.test("MemoryBackend has a largest size", () => {
  const options = { growable: true };
  const backend = new MemoryBackend(createMemoryDisk(100, options));
  assertEquals(backend.truncate(2 ** 40 + 1), -EFBIG);
  assertEquals(backend.truncate(2 ** 53 - 1), -EFBIG);
  assertEquals(backend.size, 100);
});

Deno.test("MemoryBackend counts the chunks it has written", () => {
  const backend = new MemoryBackend(createMemoryDisk(3 * CHUNK + 100));
  const allocated = () => (backend.stat().allocated ?? 0) / CHUNK;
  assertEquals(allocated(), 0);
  backend.write(CHUNK - 1, Uint8Array.of(1, 2), 0, 2);
  assertEquals(allocated(), 2);
  assertEquals(backend.extent(5), { data: true, end: 2 * CHUNK });
  assertEquals(backend.extent(2 * CHUNK), { data: false, end: Infinity });
  backend.allocate(3 * CHUNK, 100);
  assertEquals(allocated(), 3);
  backend.zero(0, 3 * CHUNK + 100, { unmap: false });
  assertEquals(allocated(), 3);
  backend.zero(1, 3 * CHUNK + 99, { unmap: true });
  assertEquals(allocated(), 1);
  backend.truncate(0);
  assertEquals(backend.truncate(3 * CHUNK), 0);
  assertEquals(allocated(), 0);
});

Deno.test("MemoryBackend shares its disk with another one over the same memory", () => {
  const disk = createMemoryDisk(10, { growable: true });
  const one = new MemoryBackend(disk);
  const other = new MemoryBackend(disk);
  one.truncate(CHUNK + 1);
  one.write(CHUNK, Uint8Array.of(42), 0, 1);
  assertEquals(other.stat().size, CHUNK + 1);
  assertEquals(other.stat().allocated, CHUNK);
  const byte = new Uint8Array(1);
  assertEquals(other.read(CHUNK, byte, 0, 1), 1);
  assertEquals(byte[0], 42);
});

testIf(
  missingPermission("read"),
  "MemoryBackend shares its disk with Workers",
  async () => {
    const disk = createMemoryDisk(4 * CHUNK, { growable: true });
    const url = new URL("_memory_worker.ts", import.meta.url);
    const workers = [0, 1, 2, 3].map((index) => {
      const worker = new Worker(url, { type: "module" });
      const done = new Promise((resolve, reject) => {
        worker.onmessage = resolve;
        worker.onerror = (event) => reject(new Error(event.message));
      });
      worker.postMessage({ disk, index });
      return { worker, done };
    });
    try {
      await Promise.all(workers.map(({ done }) => done));
    } finally {
      for (const { worker } of workers) worker.terminate();
    }
    const backend = new MemoryBackend(disk);
    const bytes = new Uint8Array(4 * CHUNK);
    backend.read(0, bytes, 0, bytes.length);
    assertEquals(
      bytes.findIndex((byte, i) => byte !== 1 + Math.floor(i / CHUNK)),
      -1,
    );
    assertEquals(backend.stat().allocated, 4 * CHUNK);
  },
);
