import { assert, assertEquals } from "@std/assert";
import { OPCODES } from "../../src/protocol/opcodes.ts";
import {
  HISTOGRAM_LENGTH,
  latencyHistogram,
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

Deno.test("latencyHistogram() counts up to each limit what observe() took", () => {
  const histogram = new Float64Array(HISTOGRAM_LENGTH);
  const times = [0.5, 0.999, 1, 1.9, 2, 3, 1000, 8_000_000, 20_000_000];
  for (const us of times) observe(histogram, us / 1000, 0);
  const { buckets, seconds, requests } = latencyHistogram(histogram);
  assertEquals(requests, times.length);
  const sum = times.reduce((total, us) => total + us, 0) / 1e6;
  assert(Math.abs(seconds - sum) < 1e-6, `${seconds}`);
  assertEquals(buckets.length, 24);
  for (const { seconds, requests } of buckets) {
    const below = times.filter((us) => us < seconds * 1e6 - 1e-9);
    assertEquals(requests, below.length, `${seconds}`);
  }
});

Deno.test("serve() measures what it takes after measure()", async () => {
  const statistics = QueueStatistics.create(1);
  const fixture = inThread("contiguous", { capacity: 4, maxPayload: 8192 });
  const first = Promise.withResolvers<void>();
  const ended = serve(fixture.queue, {
    async handle(request, reply) {
      if (request.unique === 2n) await first.promise;
      reply.ok(3);
    },
  }, { statistics });
  fixture.deliver(readMessage(2n));
  await turn();
  statistics.measure();
  fixture.deliver(readMessage(4n));
  await turn();
  first.resolve();
  await turn();
  fixture.end("unmounted");
  await ended;
  const [row] = statistics.queues;
  assertEquals(row!.totals().requests, 2);
  // The one that was taken before would seem to have taken since the start.
  assertEquals(totalsOf("read", row!.histograms()[0]!).requests, 1);
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
    assertEquals(row!.length, OPERATIONS.length);
    assertEquals(made.totals()[0]!.bytesRead, 8);
    assertEquals(made.queues[0]!.opcodes(), [
      { opcode: "READ", requests: 2, errors: 0 },
    ]);
    if (!measuring) {
      return assertEquals(row!.flatMap((all) => [...all].filter(Boolean)), []);
    }
    const { requests, bytes, p99Us } = totalsOf("read", row![0]!);
    assertEquals([requests, bytes], [2, 8]);
    assert(p99Us >= 15_000, `${p99Us}`);
  });
}
