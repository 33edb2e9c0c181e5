/** Time of reads and writes of 4 KiB and 1 MiB on the backends in memory. */
import type { Backend } from "../src/backends/backend.ts";
import {
  createMemoryDisk,
  MemoryBackend,
} from "../src/backends/protocols/memory.ts";
import { NullBackend } from "../src/backends/protocols/null.ts";
import { PatternBackend } from "../src/backends/protocols/pattern.ts";

const SIZE = 64 << 20;
const LENGTHS = [["4 KiB", 4096], ["1 MiB", 1 << 20]] as const;
const BACKENDS: readonly Backend[] = [
  new NullBackend(SIZE),
  new MemoryBackend(createMemoryDisk(SIZE)),
  new PatternBackend(SIZE),
];

for (const [length, bytes] of LENGTHS) {
  const buffer = new Uint8Array(1 << 20);
  for (const backend of BACKENDS) {
    let position = 0;
    // Steps that are not multiples of a page, and spread over the disk.
    const next = () => position = (position + bytes + 24) % (SIZE - bytes);
    Deno.bench({
      name: `${backend.name} reads ${length}`,
      group: `read ${length}`,
      fn: () => void backend.read(next(), buffer, 0, bytes),
    });
    if (!backend.writable) continue;
    Deno.bench({
      name: `${backend.name} writes ${length}`,
      group: `write ${length}`,
      fn: () => void backend.write(next(), buffer, 0, bytes),
    });
  }
}
