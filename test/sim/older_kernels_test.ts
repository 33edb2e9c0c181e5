/**
 * Kernels of older minor versions: an export and a file system are served in the
 * dialect and with the features of each.
 */
import { assert, assertEquals } from "@std/assert";
import { runConformance } from "../../conformance/mod.ts";
import { MemoryFs } from "../../examples/memory.ts";
import { O } from "../../src/base/file_flags.ts";
import { initFlag } from "../../src/protocol/init.ts";
import { offerOf } from "../../sim/kernel/negotiation.ts";
import { exported } from "./_fixtures.ts";

/** Minor versions, and the first kernel of each that was released. */
const KERNELS: Readonly<Record<number, string>> = {
  6: "2.6.16",
  9: "2.6.24",
  12: "2.6.31",
  23: "3.15",
  28: "4.20",
  31: "5.4",
  36: "5.17",
  39: "6.6",
  42: "6.14",
  45: "6.18",
};

for (const [text, release] of Object.entries(KERNELS)) {
  const minor = Number(text);
  const kernel = `minor version ${minor} (Linux ${release})`;

  Deno.test(`an export is served in ${kernel}`, async () => {
    const size = 1 << 20;
    const { kernel, client, server } = await exported({
      size,
      rules: { growable: true },
      kernel: { offered: offerOf(minor), queues: 2 },
    });
    assertEquals(await kernel.initialised, null);
    assertEquals(kernel.limits.minor, minor);
    assertEquals(kernel.limits.flags & ~offerOf(minor).flags!, 0n);
    const data = Uint8Array.from({ length: 300_000 }, (_, at) => at * 7);
    const back = new Uint8Array(data.length);
    const file = await client.open(O.RDWR);
    assertEquals(await file.pwrite(data, 12_345), data.length);
    assertEquals(await file.pread(back, 12_345), data.length);
    assertEquals(back, data);
    await file.fsync();
    await file.ftruncate(2 * size);
    assertEquals((await client.stat()).size, 2 * size);
    const end = new Uint8Array(10).fill(1);
    assertEquals(await file.pread(end, 2 * size - 10), 10);
    assertEquals(end, new Uint8Array(10));
    await file.close();
    assertEquals(kernel.violations, []);
    kernel.unmount();
    await server.ended;
  });

  Deno.test(`a file system passes the conformance suite in ${kernel}`, async () => {
    const report = await runConformance(() => new MemoryFs(), {
      simulate: { offered: offerOf(minor) },
      // RENAME2 came with 7.23.
      lacks: minor < 23 ? ["rename without replacing", "exchange"] : [],
      faults: [],
      names: 100,
      sizeMax: 1 << 18,
    });
    assertEquals(
      report.failed.map(({ name, error }) => [name, `${error}`]),
      [],
    );
    assert(report.passed.length >= 40, `${report.passed.length}`);
  });
}

Deno.test("offerOf() leaves out what an older kernel did not have", () => {
  assertEquals(offerOf(45).flags, offerOf(99).flags);
  const { flags } = offerOf(27);
  assert((flags! & initFlag("ASYNC_READ")) !== 0n);
  assertEquals(flags! & initFlag("MAX_PAGES"), 0n);
  assertEquals(flags! >> 32n, 0n);
});
