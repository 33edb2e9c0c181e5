import { assertEquals } from "@std/assert";
import { ERRNO } from "../../src/base/errno.ts";
import {
  NotificationQueue,
  NOTIFICATIONS_MAX,
  type NotificationWriter,
} from "../../src/queue/notifier.ts";

/** A writer whose calls return when the test lets them. */
class FakeWriter implements NotificationWriter {
  readonly batchMax: number = 4;
  /** The first byte of each message, call by call. */
  readonly calls: number[][] = [];
  /** Tells the result of a message of the call in flight. */
  written: (index: number, result: number) => void = () => {};
  #returns: () => void = () => {};

  write(
    messages: readonly Uint8Array<ArrayBuffer>[],
    written: (index: number, result: number) => void,
  ): Promise<void> {
    this.calls.push(messages.map((message) => message[0]!));
    this.written = written;
    return new Promise((resolve) => this.#returns = resolve);
  }

  /** Ends the call in flight. */
  async end(...results: number[]): Promise<void> {
    results.forEach((result, index) => this.written(index, result));
    this.#returns();
    await turn();
  }
}

function turn(): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve));
}

function make() {
  const writer = new FakeWriter();
  const queue = new NotificationQueue(writer);
  /** The results that have come, by the message's byte. */
  const results: Record<number, number> = {};
  const send = (byte: number, size = 1) =>
    void queue.notify(new Uint8Array(size).fill(byte))
      .then((result) => results[byte] = result);
  return { writer, queue, results, send };
}

Deno.test("NotificationQueue writes in order, one call at a time, and passes on errnos", async () => {
  const { writer, results, send } = make();
  for (let byte = 1; byte <= 6; byte++) send(byte);
  await turn();
  assertEquals(writer.calls, [[1]]);
  await writer.end(-ERRNO.ENOENT);
  assertEquals(results, { 1: -ERRNO.ENOENT });
  assertEquals(writer.calls, [[1], [2, 3, 4, 5]]);
  await writer.end(0, 0, -ERRNO.EINVAL, 0);
  assertEquals(writer.calls, [[1], [2, 3, 4, 5], [6]]);
  await writer.end(0);
  assertEquals(results, {
    1: -ERRNO.ENOENT,
    2: 0,
    3: 0,
    4: -ERRNO.EINVAL,
    5: 0,
    6: 0,
  });
});

Deno.test("NotificationQueue settles what the kernel has taken while it waits at a later one", async () => {
  const { writer, results, send } = make();
  send(1);
  send(2);
  send(3);
  await writer.end(0);
  writer.written(0, 0);
  await turn();
  assertEquals(results, { 1: 0, 2: 0 });
  writer.written(1, 0);
  await writer.end();
});

Deno.test("NotificationQueue refuses more than its limit, and recovers", async () => {
  const { writer, queue, results, send } = make();
  for (let count = 1; count < NOTIFICATIONS_MAX; count++) send(0);
  send(1);
  send(2);
  await turn();
  assertEquals(results, { 2: -ERRNO.ENOBUFS });
  await writer.end(0);
  send(3);
  await turn();
  assertEquals(results[3], undefined);
  queue.end();
  await turn();
  assertEquals([results[1], results[3]], [-ERRNO.ENODEV, -ERRNO.ENODEV]);
});

Deno.test("NotificationQueue limits the bytes that wait", async () => {
  const { writer, results, send } = make();
  send(1, 33 * 2 ** 20);
  send(2);
  await turn();
  assertEquals(results, { 2: -ERRNO.ENOBUFS });
  await writer.end(0);
  send(3);
  await turn();
  assertEquals(results, { 1: 0, 2: -ERRNO.ENOBUFS });
  await writer.end(0);
});

Deno.test("NotificationQueue ends: what has not been written is refused", async () => {
  const { writer, queue, results, send } = make();
  send(1);
  send(2);
  queue.end();
  send(3);
  await turn();
  assertEquals(results, { 2: -ERRNO.ENODEV, 3: -ERRNO.ENODEV });
  await writer.end(0);
  assertEquals(results[1], 0);
  assertEquals(writer.calls, [[1]]);
});
