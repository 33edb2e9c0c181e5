/** Copying while earlier bytes are still being written. */
import { assertEquals, assertRejects } from "@std/assert";
import type { Answer, Backend } from "../../../src/backends/backend.ts";
import {
  type DiskPart,
  partsOf,
} from "../../../src/backends/convert/disk_part.ts";
import { PartCopier } from "../../../src/backends/convert/part_copier.ts";
import { WRITE_BUFFERS } from "../../../src/backends/convert/part_writer.ts";
import { RawWriter } from "../../../src/backends/convert/raw_writer.ts";
import { runParts } from "../../../src/backends/convert/run_parts.ts";
import { FilterBackend } from "../../../src/backends/filter_backend.ts";
import {
  createMemoryDisk,
  MemoryBackend,
} from "../../../src/backends/protocols/memory.ts";
import { ERRNO } from "../../../src/base/errno.ts";
import { UserError } from "../../../src/base/user_error.ts";
import { type Random, withSeeds } from "../../_random.ts";

const SIZE = 9 << 20;
const DIVISION = { size: SIZE, unit: 4096, partSize: 1_310_720 };

/** Takes bytes late: until then they must not change. */
class LateBackend extends FilterBackend {
  readonly #random: Random;
  /** Writes before one that fails. */
  readonly #good: number;
  #begun = 0;
  /** Buffers of writes under way, and the most there were at once. */
  readonly running: Uint8Array[] = [];
  most = 0;

  constructor(image: Backend, random: Random, good = Infinity) {
    super(image);
    this.#random = random;
    this.#good = good;
  }

  override write(
    position: number,
    buffer: Uint8Array,
    start: number,
    length: number,
  ): Answer {
    return this.#writeLater(position, buffer, start, length);
  }

  async #writeLater(
    position: number,
    buffer: Uint8Array,
    start: number,
    length: number,
  ): Promise<number> {
    const fails = this.#begun++ >= this.#good;
    this.running.push(buffer);
    this.most = Math.max(this.most, new Set(this.running).size);
    for (let i = this.#random.below(20); i > 0; i--) {
      await new Promise((resolve) => setImmediate(resolve));
    }
    this.running.splice(this.running.indexOf(buffer), 1);
    return fails
      ? -ERRNO.ENOSPC
      : await this.image.write(position, buffer, start, length);
  }
}

function makeDisk(random: Random) {
  const bytes = new Uint8Array(SIZE);
  for (let at = 0; at < SIZE; at += 65_536) {
    if (random.below(3) === 0) continue;
    bytes.set(random.bytes(65_536 - 4096 * random.below(3)), at);
  }
  const disk = new MemoryBackend(createMemoryDisk(SIZE));
  disk.write(0, bytes, 0, SIZE);
  return { bytes, disk };
}

async function copyTo(target: Backend, disk: Backend): Promise<void> {
  const copier = await PartCopier.open(disk, new RawWriter(target), null);
  const parts = partsOf([{ start: 0, end: SIZE }], DIVISION);
  await runParts(parts, [{
    depth: copier.depth,
    copy: (part: DiskPart) => copier.copy(part),
    end() {},
  }], {
    signal: new AbortController().signal,
    copied: () => Promise.resolve(),
  });
}

Deno.test("PartCopier uses no buffer again before it is written", () =>
  withSeeds([1, 2, 3], async (random) => {
    const { bytes, disk } = makeDisk(random);
    const to = new MemoryBackend(createMemoryDisk(SIZE));
    const late = new LateBackend(to, random);
    await copyTo(late, disk);
    const got = new Uint8Array(SIZE);
    to.read(0, got, 0, SIZE);
    assertEquals(got.findIndex((byte, i) => byte !== bytes[i]), -1);
    assertEquals(late.most, WRITE_BUFFERS);
  }));

Deno.test("PartCopier fails with a write, once the others have ended", () =>
  withSeeds([1, 2, 3], async (random) => {
    const { disk } = makeDisk(random);
    const to = new MemoryBackend(createMemoryDisk(SIZE));
    const late = new LateBackend(to, random, 30);
    await assertRejects(() => copyTo(late, disk), UserError, "ENOSPC");
    assertEquals(late.running, []);
  }));
