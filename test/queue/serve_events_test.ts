import { assert, assertEquals } from "@std/assert";
import type { Exchange } from "../../src/protocol/exchange.ts";
import { Completion } from "../../src/event/completion.ts";
import type { EventSource } from "../../src/event/event_source.ts";
import { PollStrategy } from "../../src/event/poll_strategy.ts";
import { RingEvents } from "../../src/event/ring_events.ts";
import { RingFileIo } from "../../src/event/ring_file_io.ts";
import { ERRNO } from "../../src/base/errno.ts";
import { ForwardingQueue } from "../../src/queue/forwarding_queue.ts";
import { QueueStatistics } from "../../src/queue/queue_statistics.ts";
import type { RequestQueue } from "../../src/queue/request_queue.ts";
import type { RequestHandler } from "../../src/queue/request_handler.ts";
import { serve } from "../../src/queue/serve.ts";
import { UringQueue } from "../../src/queue/uring_queue.ts";
import { FakeEntries, FakeFileSlots, FakeRing } from "./fake_ring.ts";
import { inThread } from "./memory_fixture.ts";
import { parseReply, plainReply, readMessage, turn } from "./messages.ts";

const FD = 9;

/** Records whether a `next()` is in progress. */
class WatchedQueue extends ForwardingQueue {
  inside = false;
  nextCalls: boolean[] = [];

  override next(mayBlock: boolean): Exchange | null {
    this.inside = true;
    this.nextCalls.push(mayBlock);
    try {
      return super.next(mayBlock);
    } finally {
      this.inside = false;
    }
  }
}

/** A server whose handler reads a file on the queue's own ring. */
class RingServer {
  readonly ring = new FakeRing();
  readonly events: RingEvents = new RingEvents(this.ring, new PollStrategy(0));
  readonly entries: FakeEntries = new FakeEntries(this.ring, 4, 8192);
  readonly slots: FakeFileSlots = new FakeFileSlots(this.ring, 8);
  readonly files: RingFileIo;
  readonly queue: WatchedQueue;
  readonly statistics = QueueStatistics.create(1);
  readonly #device = inThread("contiguous", { capacity: 1, maxPayload: 8192 });

  constructor() {
    const queue = new UringQueue(this.events, this.entries, {
      protocolVersion: this.entries.protocolVersion,
      device: this.#device.queue,
      pollsDevice: false,
    });
    this.queue = new WatchedQueue(queue);
    this.files = new RingFileIo(this.events, this.slots);
  }

  /** Completes every call that was submitted. */
  completeCalls(): void {
    for (const { tag, length } of this.slots.calls.splice(0)) {
      this.ring.complete(tag, length);
    }
  }

  async serve(handler: RequestHandler): Promise<void> {
    const { events, statistics } = this;
    await serve(this.queue, handler, { mayBlock: true, events, statistics });
    this.queue.close();
  }
}

function replyTo(exchange: { ok(size?: number): void }) {
  return { run: (size: number) => exchange.ok(size) };
}

Deno.test("serve() delivers file I/O itself: next() runs no handler code", async () => {
  const server = new RingServer();
  const { ring, entries, files, queue } = server;
  for (const unique of [2n, 4n, 6n]) entries.deliver(readMessage(unique));
  const steps: boolean[] = [];
  let sleeps = 0;
  ring.onSleep = () => {
    if (sleeps++ === 0) return server.completeCalls();
    server.statistics.stop();
    entries.end(ERRNO.ENOTCONN);
  };
  await server.serve({
    handle(_request, reply) {
      steps.push(queue.inside);
      const call = files.read(FD, reply.data, 0, 16, 0) as Completion;
      return call.after({
        run(size) {
          steps.push(queue.inside);
          reply.ok(size);
        },
      });
    },
  });
  assertEquals(steps, [false, false, false, false, false, false]);
  assertEquals(
    entries.replies.map(parseReply).map(({ unique }) => unique),
    [2n, 4n, 6n],
  );
  assert(queue.nextCalls.includes(true));
});

Deno.test("serve() runs no handler code within next() of a queue in memory", async () => {
  const fixture = inThread("contiguous", { capacity: 4, maxPayload: 8192 });
  const queue = new WatchedQueue(fixture.queue);
  const inside: boolean[] = [];
  const ended = serve(queue, {
    handle(_request, reply) {
      inside.push(queue.inside);
      return Promise.resolve().then(() => {
        inside.push(queue.inside);
        reply.ok();
      });
    },
  });
  fixture.deliver(readMessage(2n));
  fixture.deliver(readMessage(4n));
  await turn();
  fixture.end("unmounted");
  await ended;
  assertEquals(inside, [false, false, false, false]);
});

Deno.test("serve() sleeps while every request waits for an operation", async () => {
  const server = new RingServer();
  const { ring, entries, files, queue } = server;
  entries.deliver(readMessage(2n));
  let whileWaiting = false;
  ring.onSleep = () => {
    if (server.slots.calls.length > 0) {
      whileWaiting = queue.nextCalls.at(-1)!;
      return server.completeCalls();
    }
    entries.end(ERRNO.ENOTCONN);
  };
  await server.serve({
    handle: (_request, reply) =>
      (files.read(FD, reply.data, 0, 16, 0) as Completion)
        .after(replyTo(reply)),
  });
  assertEquals(whileWaiting, true);
  assertEquals(entries.replies.length, 1);
});

Deno.test("serve() does not sleep while a request waits for a promise", async () => {
  const server = new RingServer();
  const { entries, files, queue } = server;
  entries.deliver(readMessage(2n));
  entries.deliver(readMessage(4n));
  const answer = Promise.withResolvers<void>();
  const ended = server.serve({
    handle: (request, reply) =>
      request.unique === 2n
        ? answer.promise.then(() => reply.ok())
        : (files.read(FD, reply.data, 0, 16, 0) as Completion)
          .after(replyTo(reply)),
  });
  await turn();
  assertEquals(server.events.inFlight, 1);
  assertEquals(queue.nextCalls.at(-1), false);
  server.completeCalls();
  await turn();
  assertEquals(queue.nextCalls.at(-1), false);
  answer.resolve();
  await turn();
  const replies = entries.replies.map(parseReply);
  assertEquals(replies.map(({ unique }) => unique), [4n, 2n]);
  entries.end(ERRNO.ENOTCONN);
  await ended;
});

Deno.test("serve() lets an async handler await file I/O", async () => {
  const server = new RingServer();
  const { ring, entries, files } = server;
  entries.deliver(readMessage(2n));
  ring.onSleep = () => server.completeCalls();
  const pump = setInterval(() => {
    server.completeCalls();
    if (entries.replies.length > 0) entries.end(ERRNO.ENOTCONN);
  }, 1);
  await server.serve({
    async handle(_request, reply) {
      const first = await files.read(FD, reply.data, 0, 10, 0);
      const second = await files.sync(FD);
      reply.ok(first + second);
    },
  });
  clearInterval(pump);
  const [reply] = entries.replies.map(parseReply);
  assertEquals([reply!.unique, reply!.error, reply!.body.length], [2n, 0, 10]);
});

Deno.test("serve() drains operations at the end, and those that follow", async () => {
  const server = new RingServer();
  const { ring, entries, files, statistics } = server;
  entries.deliver(readMessage(2n));
  ring.onSleep = () => server.completeCalls();
  await server.serve({
    async handle(_request, reply) {
      statistics.stop();
      await files.read(FD, reply.data, 0, 10, 0);
      await files.sync(FD);
      reply.ok();
    },
  });
  assertEquals(entries.replies.map(parseReply), [plainReply(2n)]);
  assertEquals(ring.closes, 1);
});

Deno.test("serve() answers a handler that returns no promise with EIO", async () => {
  const fixture = inThread("contiguous", { capacity: 4, maxPayload: 8192 });
  const errors: unknown[] = [];
  const spent = Completion.start<number>();
  spent.complete(1);
  await spent;
  const answers: unknown[] = [5, {}, spent];
  const ended = serve(fixture.queue, {
    handle: () => answers.shift() as PromiseLike<void>,
  }, { report: (error) => errors.push(error) });
  for (const unique of [2n, 4n, 6n]) fixture.deliver(readMessage(unique));
  await turn();
  assertEquals(
    fixture.replies().map(parseReply),
    [2n, 4n, 6n].map((unique) => plainReply(unique, -ERRNO.EIO)),
  );
  assertEquals(errors.length, 3);
  fixture.end("unmounted");
  await ended;
});

Deno.test("serve() takes turns with operations that keep completing", async () => {
  const fixture = inThread("contiguous", { capacity: 4, maxPayload: 8192 });
  let settled = 0;
  let rang = 0;
  const events: EventSource = {
    inFlight: 0,
    get hasCompleted() {
      return rang === 0;
    },
    settle: () => void settled++,
    drain() {},
    close() {},
  };
  const queue: RequestQueue = fixture.queue;
  const ended = serve(queue, { handle() {} }, { events });
  setTimeout(() => rang = settled, 1);
  await turn();
  while (rang === 0) await turn();
  assert(rang > 0);
  fixture.end("unmounted");
  await ended;
});
