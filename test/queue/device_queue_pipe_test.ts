import { assert, assertEquals, assertThrows } from "@std/assert";
import { ERRNO } from "../../src/base/errno.ts";
import { ReplyError } from "../../src/protocol/reply_error.ts";
import type { Exchange } from "../../src/protocol/exchange.ts";
import { DeviceQueue } from "../../src/queue/device_queue.ts";
import { FakeDevice } from "./fake_device.ts";
import { byteAt, FakePipe } from "./fake_pipe.ts";
import { parseReply, readMessage, take } from "./messages.ts";

const POSITION = 8192;
const SIZE = 20_000;
const WANTED = Array.from({ length: SIZE }, (_, i) => byteAt(POSITION + i));

interface Fixture {
  readonly device: FakeDevice;
  readonly pipe: FakePipe;
  readonly queue: DeviceQueue;
}

function make(): Fixture {
  const device = new FakeDevice();
  const pipe = new FakePipe();
  return {
    device,
    pipe,
    queue: new DeviceQueue(device, { maxPayload: 65536, pipe }),
  };
}

/** Takes a READ and leaves its reply in the pipe, as an export does. */
async function answerInPipe(
  { device, pipe, queue }: Fixture,
): Promise<Exchange> {
  device.push(readMessage(2n, POSITION, SIZE));
  const exchange = await take(queue);
  exchange.reply.okInPipe(SIZE);
  pipe.begin(exchange.reply.header, 16);
  assertEquals(pipe.append(5, POSITION, SIZE), SIZE);
  return exchange;
}

Deno.test("DeviceQueue sends a reply in a pipe to its own descriptor", async () => {
  const fixture = make();
  const { device, pipe, queue } = fixture;
  const exchange = await answerInPipe(fixture);
  assert(queue.reply(exchange));
  assertEquals(device.written, []);
  const [{ fd, message }] = pipe.sent as [typeof pipe.sent[0]];
  assertEquals(fd, device.fd);
  const { error, unique, body } = parseReply(message);
  assertEquals([error, unique], [0, 2n]);
  assertEquals([...body], WANTED);
});

Deno.test("DeviceQueue sends the next reply from memory again", async () => {
  const fixture = make();
  const { device, pipe, queue } = fixture;
  queue.reply(await answerInPipe(fixture));
  device.push(readMessage(4n, 0, 512));
  const exchange = await take(queue);
  exchange.reply.data.fill(9, 0, 512);
  exchange.reply.ok(512);
  assert(queue.reply(exchange));
  assertEquals(pipe.sent.length, 1);
  assertEquals(parseReply(device.written[0]!).body.length, 512);
});

Deno.test("DeviceQueue writes what the kernel left in the pipe", async () => {
  const fixture = make();
  const { device, pipe, queue } = fixture;
  const exchange = await answerInPipe(fixture);
  pipe.failures.push({ errno: ERRNO.ENOMEM, taken: false });
  assert(queue.reply(exchange));
  assertEquals(pipe.bytes, []);
  const { error, body } = parseReply(device.written[0]!);
  assertEquals(error, 0);
  assertEquals([...body], WANTED);
});

Deno.test("DeviceQueue tells that the request of a reply in a pipe is gone", async () => {
  const fixture = make();
  const { device, pipe, queue } = fixture;
  const exchange = await answerInPipe(fixture);
  pipe.failures.push({ errno: ERRNO.ENOENT, taken: true });
  assert(!queue.reply(exchange));
  assertEquals(device.written, []);
});

Deno.test("DeviceQueue reports a reply in a pipe that the kernel refused", async () => {
  const fixture = make();
  const { device, pipe, queue } = fixture;
  const exchange = await answerInPipe(fixture);
  pipe.failures.push({ errno: ERRNO.EIO, taken: true });
  assertThrows(() => queue.reply(exchange), ReplyError, "refuses");
  // In case the request still waits.
  assertEquals(parseReply(device.written[0]!).error, -ERRNO.EIO);
});

Deno.test("DeviceQueue sends nothing of a pipe once it is closed", async () => {
  const fixture = make();
  const exchange = await answerInPipe(fixture);
  fixture.queue.close();
  assert(!fixture.queue.reply(exchange));
  assertEquals(fixture.pipe.sent, []);
});
