import { assert, assertEquals } from "@std/assert";
import { OPCODES } from "../../src/protocol/opcodes.ts";
import {
  HISTOGRAM_LENGTH,
  observe,
  operationOf,
  OPERATIONS,
  totalsOf,
} from "../../src/queue/latency.ts";
import { QueueStatistics } from "../../src/queue/queue_statistics.ts";
import { serve } from "../../src/queue/serve.ts";
import { inThread } from "./memory_fixture.ts";
import { readMessage, turn } from "./messages.ts";

Deno.test("observe() keeps times exact to 12 %", () => {
  for (const us of [0.1, 1, 2, 3.7, 17, 99, 1000, 123_456, 60e6, 500e6]) {
    const histogram = new Float64Array(HISTOGRAM_LENGTH);
    observe(histogram, us / 1000, 512);
    const { requests, bytes, meanUs, p99Us } = totalsOf("read", histogram);
    assertEquals([requests, bytes], [1, 512]);
    assert(Math.abs(meanUs - us) < 1e-6 * us + 1e-9, `${us}: ${meanUs}`);
    assert(p99Us >= us && p99Us <= us * 1.126 + 0.126, `${us}: ${p99Us}`);
  }
});

Deno.test("observe() takes any time", () => {
  const histogram = new Float64Array(HISTOGRAM_LENGTH);
  for (const ms of [0, 1e-9, 2 ** 40, Infinity]) observe(histogram, ms, 0);
  assertEquals(totalsOf("other", histogram).requests, 4);
});

Deno.test("totalsOf() returns the 99th percentile", () => {
  const histogram = new Float64Array(HISTOGRAM_LENGTH);
  assertEquals(totalsOf("read", histogram).p99Us, 0);
  for (let i = 0; i < 99; i++) observe(histogram, 0.001, 0);
  observe(histogram, 100, 0);
  assertEquals(totalsOf("read", histogram).p99Us, 1.125);
  observe(histogram, 100, 0);
  assert(totalsOf("read", histogram).p99Us >= 100_000);
});

Deno.test("operationOf() returns the kind of each request", () => {
  const name = (opcode: number) => OPERATIONS[operationOf(opcode)];
  assertEquals(name(OPCODES.READ.opcode), "read");
  assertEquals(name(OPCODES.WRITE.opcode), "write");
  assertEquals(name(OPCODES.FSYNC.opcode), "flush");
  assertEquals(name(OPCODES.FLUSH.opcode), "flush");
  assertEquals(name(OPCODES.GETATTR.opcode), "other");
});

for (const measuring of [true, false]) {
  Deno.test(`serve() measures if the statistics are measuring: ${measuring}`, async () => {
    const made = QueueStatistics.create(2, { measuring });
    const statistics = new QueueStatistics(made.memory);
    assertEquals(statistics.queues.length, 2);
    const fixture = inThread("contiguous", { capacity: 4, maxPayload: 8192 });
    const ended = serve(fixture.queue, {
      handle(request, reply) {
        if (request.unique !== 4n) return reply.ok(3);
        return new Promise<void>((resolve) => {
          setTimeout(() => resolve(reply.ok(5)), 20);
        });
      },
    }, { statistics });
    fixture.deliver(readMessage(2n));
    fixture.deliver(readMessage(4n));
    await turn();
    await new Promise((resolve) => setTimeout(resolve, 40));
    fixture.end("unmounted");
    await ended;
    const [row] = made.queues.map((row) => row.histograms());
    assertEquals(row!.length, measuring ? OPERATIONS.length : 0);
    assertEquals(made.totals()[0]!.bytesRead, 8);
    if (!measuring) return;
    const { requests, bytes, p99Us } = totalsOf("read", row![0]!);
    assertEquals([requests, bytes], [2, 8]);
    assert(p99Us >= 15_000, `${p99Us}`);
  });
}
