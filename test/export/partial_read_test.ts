import { assertEquals } from "@std/assert";
import { PatternBackend } from "../../src/backends/protocols/pattern.ts";
import { ERRNO, Errno } from "../../src/base/errno.ts";
import { byteOfPattern } from "../backends/_image.ts";
import type { Answer } from "./_client.ts";
import { SIZE, testExport } from "./_fixtures.ts";

/** `read_flags` of a read into the kernel's page cache. */
const CACHED = 0;
const SECTOR = 512;

/** A disk with bad sectors, or one that ends early. */
class DamagedBackend extends PatternBackend {
  readonly #bad: readonly number[];
  /** The most bytes that a read returns. */
  most = Infinity;
  /** Where the image ends. */
  end = Infinity;

  constructor(...bad: number[]) {
    super(SIZE);
    this.#bad = bad;
  }

  override read(
    position: number,
    buffer: Uint8Array,
    start: number,
    length: number,
  ): number {
    const bad = this.#bad.map((sector) => sector * SECTOR)
      .filter((at) => at + SECTOR > position);
    const fine = Math.min(...bad, Infinity) - position;
    if (fine <= 0) return this.fails();
    const rest = Math.max(0, this.end - position);
    const count = Math.min(length, fine, rest, this.most);
    return super.read(position, buffer, start, count);
  }

  fails(): number {
    return -ERRNO.EIO;
  }
}

/** Asserts that a read returned this many bytes of the pattern. */
function assertRead(answer: Answer, offset: number, count: number): void {
  assertEquals(answer.errno, 0);
  assertEquals(
    [...answer.body!],
    Array.from({ length: count }, (_, i) => byteOfPattern(offset + i)),
  );
}

testExport(
  "a direct READ returns the bytes before a bad sector",
  async (make) => {
    const { client } = make({ backend: new DamagedBackend(5, 9) });
    assertRead(await client.read(0, 4096), 0, 5 * SECTOR);
    assertRead(await client.read(100, SIZE), 100, 5 * SECTOR - 100);
    assertEquals((await client.read(5 * SECTOR, 4096)).errno, ERRNO.EIO);
    assertEquals((await client.read(6 * SECTOR - 1, 4096)).errno, ERRNO.EIO);
    assertRead(await client.read(6 * SECTOR, 4096), 6 * SECTOR, 3 * SECTOR);
    assertRead(await client.read(10 * SECTOR, 1000), 10 * SECTOR, 1000);
  },
);

testExport(
  "a READ into the page cache fails as a whole at a bad sector",
  async (make) => {
    const { client } = make({ backend: new DamagedBackend(5) });
    for (const offset of [0, SECTOR, 5 * SECTOR]) {
      const { errno, body } = await client.read(offset, 4096, CACHED);
      assertEquals([errno, body!.length], [ERRNO.EIO, 0]);
    }
    assertRead(await client.read(6 * SECTOR, 1000, CACHED), 6 * SECTOR, 1000);
  },
);

testExport(
  "READ reads on where a backend stopped without a reason",
  async (make) => {
    const backend = new DamagedBackend(9);
    backend.most = 700;
    const { client } = make({ backend });
    assertRead(await client.read(10, 4000), 10, 4000);
    assertRead(await client.read(10, 4000, CACHED), 10, 4000);
    assertRead(await client.read(0, SIZE), 0, 9 * SECTOR);
  },
);

testExport(
  "READ of what another program has cut off gives EIO",
  async (make) => {
    const backend = new DamagedBackend();
    const { client, state } = make({ backend });
    backend.end = 5000;
    assertRead(await client.read(0, SIZE), 0, 5000);
    assertRead(await client.read(4000, 1000, CACHED), 4000, 1000);
    assertEquals((await client.read(4000, 1001, CACHED)).errno, ERRNO.EIO);
    for (const offset of [5000, SIZE - 1]) {
      assertEquals((await client.read(offset, 100)).errno, ERRNO.EIO);
    }
    assertEquals((await client.read(SIZE, 100)).body?.length, 0);
    assertEquals(state.lock.tryShare(), true);
    state.lock.unshare();
  },
);

testExport(
  "READ during a change of the size returns what is left",
  async (make) => {
    const backend = new DamagedBackend();
    const { client, state } = make({ backend });
    await state.lock.lock();
    backend.end = 5000;
    const read = client.read(4000, 4000);
    const beyond = client.read(6000, 100);
    for (let i = 0; i < 100; i++) await Promise.resolve();
    state.size = 5000;
    state.lock.unlock();
    assertRead(await read, 4000, 1000);
    assertEquals((await beyond).body?.length, 0);
  },
);

testExport(
  "a backend that throws after some bytes fails the next READ",
  async (make) => {
    class Throwing extends DamagedBackend {
      override fails(): never {
        throw new Errno("EBADMSG");
      }
    }
    const { client } = make({ backend: new Throwing(5) });
    assertRead(await client.read(0, 4096), 0, 5 * SECTOR);
    assertEquals((await client.read(0, 4096, CACHED)).errno, ERRNO.EBADMSG);
    assertEquals((await client.read(5 * SECTOR, 4096)).errno, ERRNO.EBADMSG);
  },
);

testExport(
  "READ returns no more bytes than the client requested if a backend returns more",
  async (make) => {
    class Boasting extends PatternBackend {
      override read(...args: Parameters<PatternBackend["read"]>): number {
        return super.read(...args) + 10;
      }
    }
    const { client } = make({ backend: new Boasting(SIZE) });
    assertRead(await client.read(8, 40), 8, 40);
  },
);
