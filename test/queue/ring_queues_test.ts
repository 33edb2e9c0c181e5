import { assert, assertEquals } from "@std/assert";
import {
  assignRingQueues,
  ringPayloadSize,
} from "../../src/queue/ring_queues.ts";

const MIB = 1 << 20;

/** The shares of Workers, with entries of 1 MiB. */
function sharesOf(cpus: number, workers: number): number[][] {
  const options = { cpus, workers, payloadSize: MIB, memoryMax: null };
  return assignRingQueues(options)!;
}

Deno.test("assignRingQueues() gives every ring queue and every Worker entries", () => {
  for (const cpus of [1, 2, 3, 4, 7, 64, 256]) {
    for (const workers of [1, 2, 3, 4, 7, 64]) {
      const shares = sharesOf(cpus, workers);
      const what = `${cpus} CPUs, ${workers} Workers`;
      assertEquals(shares.length, workers, what);
      assert(shares.every((qids) => qids.length > 0), what);
      const served = new Set(shares.flat());
      assertEquals(served.size, cpus, what);
      assert(shares.flat().every((qid) => qid < cpus), what);
    }
  }
});

Deno.test("assignRingQueues() gives each ring queue to one Worker if it can", () => {
  const shares = sharesOf(5, 2);
  assertEquals(shares.map((qids) => [...new Set(qids)]), [[0, 2, 4], [1, 3]]);
  assertEquals(shares[0]!.filter((qid) => qid === 2).length, 16);
});

Deno.test("assignRingQueues() limits the memory", () => {
  for (const cpus of [1, 16, 64, 128]) {
    const shares = sharesOf(cpus, 4);
    assert(shares.flat().length <= 256, `${cpus} CPUs`);
  }
});

Deno.test("assignRingQueues() keeps a bound that was given, or gives up", () => {
  const options = { cpus: 4, workers: 4, payloadSize: MIB };
  const entries = (memoryMax: number) =>
    assignRingQueues({ ...options, memoryMax })?.flat().length;
  assertEquals(entries(64 * MIB), 64);
  assertEquals(entries(13 * MIB), 12);
  assertEquals(entries(8 * MIB), 8);
  assertEquals(entries(8 * MIB - 1), undefined);
  // Without a bound each ring queue gets what it needs.
  assertEquals(sharesOf(1000, 4).flat().length, 2000);
});

Deno.test("ringPayloadSize() is what the kernel requires", () => {
  assertEquals(ringPayloadSize({ maxWrite: 4096, maxPages: 1 }), 8192);
  assertEquals(ringPayloadSize({ maxWrite: 65536, maxPages: 32 }), 131072);
  assertEquals(ringPayloadSize({ maxWrite: MIB, maxPages: 256 }), MIB);
});
