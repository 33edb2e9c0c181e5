import { assertEquals } from "@std/assert";
import { FILE_CALL } from "../../src/event/file_operation.ts";
import { PollStrategy } from "../../src/event/poll_strategy.ts";
import { RingEvents } from "../../src/event/ring_events.ts";
import { RingFileIo } from "../../src/event/ring_file_io.ts";
import { FakeFileSlots, FakeRing } from "../queue/fake_ring.ts";

/** -ETIME, with which a timer completes. */
const EXPIRED = -62;

Deno.test("streams call their owners every second, by one timer for all", () => {
  const ring = new FakeRing();
  const events = new RingEvents(ring, new PollStrategy(0));
  const slots = new FakeFileSlots(ring, 8);
  const files = new RingFileIo(events, slots);
  const owner = { sent() {}, received() {} };
  const calls = { shutdown() {}, close() {} };
  const streams = [7, 8].map((fd) => files.stream(fd, owner, calls)!);
  const left = [2, 1];
  const ticks = [0, 0];
  for (const [i, stream] of streams.entries()) {
    stream.everySecond({
      tick() {
        ticks[i]!++;
        return --left[i]! > 0;
      },
    });
  }
  const timers = () =>
    slots.calls.filter(({ call }) => call === FILE_CALL.TIMER);
  const expire = () => {
    events.submit();
    ring.complete(timers().at(-1)!.tag, EXPIRED);
    events.wait(false);
    events.submit();
  };
  expire();
  assertEquals(ticks, [1, 1]);
  const { buffer } = timers()[0]!.buffer!;
  assertEquals([...new BigInt64Array(buffer as ArrayBuffer)], [1n, 0n]);
  assertEquals(timers().length, 2);
  expire();
  assertEquals(ticks, [2, 1]);
  // Nobody wants to be called any more.
  assertEquals(timers().length, 2);
  for (const stream of streams) stream.close();
  events.close();
});

Deno.test("a thread looks for what is expected ahead of requests", () => {
  const ring = new FakeRing();
  const events = new RingEvents(ring, new PollStrategy(0));
  assertEquals(events.isBusy, false);
  events.expectsAhead(true);
  assertEquals([events.isBusy, events.inFlight], [true, 0]);
  events.expectsAhead(false);
  assertEquals(events.isBusy, false);
  events.close();
});
