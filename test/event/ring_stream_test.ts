import { assertEquals } from "@std/assert";
import type { ByteStream } from "../../src/event/byte_stream.ts";
import { RingStream } from "../../src/event/ring_stream.ts";

const SEND_SLOT = 3;
const RECEIVE_SLOT = 4;

/** A stream that counts how often its descriptor and slots are given back. */
function countedStream(
  received: (stream: ByteStream) => void,
  sent: (stream: ByteStream) => void,
) {
  const counts = { shutdown: 0, release: 0 };
  const parts = {
    events: { pushed() {} },
    slots: { prepare() {}, repeat() {} },
    sendSlot: SEND_SLOT,
    receiveSlot: RECEIVE_SLOT,
    fd: 9,
    everySecond() {},
    shutdown: () => counts.shutdown++,
    release: () => counts.release++,
  } as unknown as ConstructorParameters<typeof RingStream>[0];
  const stream: RingStream = new RingStream(parts, {
    received: () => received(stream),
    sent: () => sent(stream),
  });
  return { stream, counts };
}

const close = (stream: ByteStream) => stream.close();

Deno.test("RingStream gives its descriptor back once if its owner closes it in received()", () => {
  const { stream, counts } = countedStream(close, () => {});
  stream.receive(new Uint8Array(8), 0, 8);
  stream.slotCompleted(RECEIVE_SLOT, 0);
  assertEquals(counts, { shutdown: 1, release: 1 });
});

Deno.test("RingStream gives its descriptor back once if its owner closes it in sent()", () => {
  const { stream, counts } = countedStream(() => {}, close);
  stream.send(new Uint8Array(8), 0, 8);
  stream.slotCompleted(SEND_SLOT, -32);
  stream.close();
  assertEquals(counts, { shutdown: 1, release: 1 });
});

Deno.test("RingStream keeps its descriptor until both calls have ended", () => {
  const { stream, counts } = countedStream(() => {}, () => {});
  stream.send(new Uint8Array(8), 0, 8);
  stream.receive(new Uint8Array(8), 0, 8);
  stream.close();
  stream.slotCompleted(SEND_SLOT, -32);
  assertEquals(counts.release, 0);
  stream.slotCompleted(RECEIVE_SLOT, 0);
  assertEquals(counts, { shutdown: 1, release: 1 });
});
