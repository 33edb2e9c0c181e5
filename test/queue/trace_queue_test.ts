import { assertEquals } from "@std/assert";
import {
  contiguousExchange,
  encodeNotification,
  encodeRequest,
  type Exchange,
  formatTrace,
  ProtocolVersion,
  type TraceRecord,
} from "../../src/protocol/mod.ts";
import type { QueueEnd, RequestQueue } from "../../src/queue/request_queue.ts";
import { TraceNotifier, TraceQueue } from "../../src/queue/trace_queue.ts";

/** A queue that has one request. */
class OneRequest implements RequestQueue {
  readonly end: QueueEnd | null = null;
  protocolVersion = new ProtocolVersion();
  #exchange: Exchange | null;

  constructor(bytes: Uint8Array) {
    this.#exchange = contiguousExchange(bytes, new Uint8Array(4096));
    this.#exchange.request.validate(bytes.length, this.protocolVersion);
  }

  next(): Exchange | null {
    const exchange = this.#exchange;
    this.#exchange = null;
    return exchange;
  }

  ready(): Promise<void> {
    return Promise.resolve();
  }

  reply(): boolean {
    return true;
  }

  close(): void {}
}

const REQUEST = encodeRequest("READ", {
  header: { unique: 500n, nodeid: 1n },
  body: { offset: 4096n, size: 4 },
});

/** The trace records of a READ, its reply and a notification. */
async function shown(wire: boolean): Promise<TraceRecord[]> {
  const records: TraceRecord[] = [];
  const inner = new OneRequest(REQUEST.slice());
  const queue = new TraceQueue(inner, (record) => records.push(record), {
    index: 3,
    wire,
  });
  const exchange = queue.next(false)!;
  exchange.reply.data.set([1, 2, 3, 4]);
  exchange.reply.ok(4);
  assertEquals(queue.reply(exchange), true);
  const sent: Uint8Array[] = [];
  const kernel = {
    notify(message: Uint8Array<ArrayBuffer>) {
      sent.push(message);
      return Promise.resolve(-2);
    },
  };
  const notifier = new TraceNotifier(
    kernel,
    (record) => records.push(record),
    { index: 3, wire },
  );
  assertEquals(await notifier.notify(encodeNotification("INC_EPOCH")), -2);
  assertEquals(sent.length, 1);
  return records;
}

Deno.test("TraceQueue records every message in order", async () => {
  assertEquals((await shown(false)).map(formatTrace), [
    "q3 <- 0x1f4 READ fh=0 offset=4096 size=4",
    "q3 -> 0x1f4 READ OK 4 B",
    "q3 -> 0x0 NOTIFY_INC_EPOCH",
  ]);
  assertEquals((await shown(false)).map(({ wire }) => wire), [
    undefined,
    undefined,
    undefined,
  ]);
});

Deno.test("TraceQueue shows whole messages with the option wire", async () => {
  const [request, reply, notification] = await shown(true);
  assertEquals(request?.wire, REQUEST);
  assertEquals(reply?.wire?.length, 20);
  assertEquals(reply?.wire?.subarray(16), Uint8Array.of(1, 2, 3, 4));
  assertEquals(notification?.wire, encodeNotification("INC_EPOCH"));
});
