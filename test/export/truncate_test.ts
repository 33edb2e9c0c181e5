import { assert, assertEquals } from "@std/assert";
import type { ZeroOptions } from "../../src/backends/backend.ts";
import {
  createMemoryDisk,
  MemoryBackend,
} from "../../src/backends/protocols/memory.ts";
import { ERRNO } from "../../src/base/errno.ts";
import { FATTR } from "../../src/protocol/flags.ts";
import { S_IF } from "../../src/base/file_flags.ts";
import { SIZE, testExport } from "./_fixtures.ts";

const FULL = new Uint8Array(SIZE).fill(9);
/** O_TRUNC and truncate(2), and ftruncate(2), as this kernel sends them. */
const FORMS = [
  FATTR.SIZE | FATTR.LOCKOWNER,
  FATTR.SIZE | FATTR.LOCKOWNER | FATTR.FH,
];

/** A disk in memory that cannot zero a range in some ways. */
class Limited extends MemoryBackend {
  readonly calls: string[] = [];
  readonly #results: Readonly<Record<string, number>>;

  /** Returns `results` of "unmap" and "zero" instead of doing them. */
  constructor(results: Readonly<Record<string, number>>) {
    super(createMemoryDisk(SIZE));
    this.#results = results;
  }

  override zero(position: number, length: number, options: ZeroOptions) {
    const call = options.unmap ? "unmap" : "zero";
    this.calls.push(call);
    return this.#results[call] ?? super.zero(position, length, options);
  }

  override write(...args: Parameters<MemoryBackend["write"]>): number {
    this.calls.push("write");
    return this.#results.write ?? super.write(...args);
  }
}

testExport("truncating a fixed size is refused", async (make) => {
  for (const truncate of [undefined, "refuse"] as const) {
    const { client, backend } = make(truncate && { truncate });
    await client.write(0, FULL);
    await client.setattr({ valid: FATTR.MTIME, mtime: 7n });
    const before = await client.getattr();
    for (const valid of FORMS) {
      for (const size of [0n, 1n, BigInt(SIZE - 1), BigInt(SIZE + 1)]) {
        assertEquals(await client.setattr({ valid, size }), ERRNO.EPERM);
      }
      assertEquals(await client.setattr({ valid, size: BigInt(SIZE) }), 0);
    }
    assertEquals(await client.getattr(), before);
    assertEquals((await backend.stat()).size, SIZE);
    assertEquals(await client.readAll(), FULL);
  }
});

testExport("a refused size changes no other attribute", async (make) => {
  const { client } = make();
  const valid = FATTR.SIZE | FATTR.MODE;
  const fields = { valid, size: 0n, mode: 0o400 };
  assertEquals(await client.setattr(fields), ERRNO.EPERM);
  assertEquals((await client.getattr()).mode, S_IF.REG | 0o600);
});

testExport(
  "a refused size does not wait for writes in flight",
  async (make) => {
    const { client, state } = make();
    assert(state.lock.tryShare());
    assertEquals(await client.truncate(0), ERRNO.EPERM);
    assertEquals(await client.truncate(SIZE), 0);
    state.lock.unshare();
  },
);

testExport("truncating may zero what is cut off", async (make) => {
  let zeroed = 0;
  const onZeroed = () => void zeroed++;
  const { client, backend } = make({ truncate: "zero", onZeroed });
  for (const [i, valid] of FORMS.entries()) {
    for (const size of [SIZE - 1, 4097, 0]) {
      await client.write(0, FULL);
      await client.setattr({ valid: FATTR.MTIME, mtime: 7n });
      assertEquals(await client.setattr({ valid, size: BigInt(size) }), 0);
      const { size: left, mtime } = await client.getattr();
      assertEquals(left, BigInt(SIZE));
      assert(mtime > 7n);
      const all = await client.readAll();
      assertEquals(all.lastIndexOf(9), size - 1);
      assertEquals(all.indexOf(0), size);
    }
    assertEquals(zeroed, 3 * (i + 1));
    assertEquals(await client.setattr({ valid, size: BigInt(SIZE) }), 0);
    const larger = await client.setattr({ valid, size: BigInt(SIZE + 1) });
    assertEquals(larger, ERRNO.EPERM);
    assertEquals(zeroed, 3 * (i + 1));
  }
  // Space is freed where that is possible.
  assertEquals((await backend.stat()).allocated, 0);
  assertEquals((await backend.stat()).size, SIZE);
});

testExport("zeroes are written only where nothing else helps", async (make) => {
  const cannot = -ERRNO.EOPNOTSUPP;
  const cases = [
    [{ unmap: cannot }, ["unmap", "zero"]],
    [{ unmap: cannot, zero: cannot }, ["unmap", "zero", "write"]],
  ] as const;
  for (const [results, calls] of cases) {
    const backend = new Limited(results);
    const { client } = make({ backend, truncate: "zero" });
    await client.write(0, FULL);
    backend.calls.length = 0;
    assertEquals(await client.truncate(100), 0);
    assertEquals(backend.calls, [...calls]);
    const all = await client.readAll();
    assertEquals([all.length, all.lastIndexOf(9)], [SIZE, 99]);
  }
});

testExport("an error of zeroing is an error", async (make) => {
  const cannot = -ERRNO.EOPNOTSUPP;
  for (
    const results of [
      { unmap: -ERRNO.EIO },
      { unmap: cannot, zero: -ERRNO.EIO },
      { unmap: cannot, zero: cannot, write: -ERRNO.EIO },
      { unmap: cannot, zero: cannot, write: 0 },
    ]
  ) {
    let zeroed = 0;
    const { client, state } = make({
      backend: new Limited(results),
      truncate: "zero",
      onZeroed: () => void zeroed++,
    });
    assertEquals(await client.truncate(0), ERRNO.EIO);
    // Some bytes may have become zeroes.
    assertEquals(zeroed, 1);
    await state.lock.lock();
    state.lock.unlock();
  }
});
