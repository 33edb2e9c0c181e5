import { assert, assertEquals, assertLess } from "@std/assert";
import { ERRNO, Errno } from "../../src/base/errno.ts";
import { writeStruct } from "../../src/protocol/codec.ts";
import { OPCODES } from "../../src/protocol/opcodes.ts";
import type { Reply } from "../../src/protocol/reply.ts";
import type { Request } from "../../src/protocol/request.ts";
import {
  QueueStatistics,
  type QueueTotals,
} from "../../src/queue/queue_statistics.ts";
import type { QueueEnd, RequestQueue } from "../../src/queue/request_queue.ts";
import { ProtocolVersion } from "../../src/protocol/protocol_version.ts";
import { serve, type ServeOptions } from "../../src/queue/serve.ts";
import { inThread, type MemoryFixture } from "./memory_fixture.ts";
import {
  forgetMessage,
  message,
  parseReply,
  plainReply,
  readMessage,
  turn,
  writeMessage,
} from "./messages.ts";

type Handle = (request: Request, reply: Reply) => void | PromiseLike<void>;

interface Served {
  fixture: MemoryFixture;
  reports: [string, string][];
  /** Ends the queue from outside and waits for the loop. */
  finish(): Promise<QueueEnd>;
  ended: Promise<QueueEnd>;
}

function start(
  handle: Handle,
  options: ServeOptions = {},
  capacity: number = 4,
): Served {
  const fixture = inThread("contiguous", { capacity, maxPayload: 8192 });
  const reports: [string, string][] = [];
  const ended = serve(fixture.queue, { handle }, {
    report: (error, during) => reports.push([String(error), during]),
    ...options,
  });
  const finish = () => {
    fixture.end("unmounted");
    return ended;
  };
  return { fixture, reports, finish, ended };
}

/** A handler whose answers the test gives one by one. */
class PendingAnswers {
  readonly taken: bigint[] = [];
  readonly #resolvers: Map<bigint, () => void> = new Map();

  handle: Handle = (request, reply) => {
    const { unique } = request;
    this.taken.push(unique);
    return new Promise<void>((resolve) => {
      this.#resolvers.set(unique, () => {
        reply.ok();
        resolve();
      });
    });
  };

  async give(unique: bigint): Promise<void> {
    this.#resolvers.get(unique)!();
    await turn();
  }
}

function repliesOf({ fixture }: Served) {
  return fixture.replies().map(parseReply);
}

Deno.test("serve() replies at once", async () => {
  const served = start((_, reply) => reply.ok());
  for (const unique of [2n, 4n, 6n]) {
    served.fixture.deliver(readMessage(unique));
  }
  await turn();
  assertEquals(repliesOf(served), [2n, 4n, 6n].map((u) => plainReply(u)));
  assertEquals((await served.finish()).reason, "unmounted");
  assertEquals(served.reports, []);
});

Deno.test("serve() replies when promises are fulfilled, in any order", async () => {
  const answers = new PendingAnswers();
  const served = start(answers.handle);
  for (const unique of [2n, 4n, 6n]) {
    served.fixture.deliver(readMessage(unique));
  }
  await turn();
  assertEquals(answers.taken, [2n, 4n, 6n]);
  for (const unique of [6n, 2n, 4n]) {
    await answers.give(unique);
    assertEquals(repliesOf(served), [plainReply(unique)]);
  }
  await served.finish();
});

Deno.test("serve() answers with a thrown Errno and reports nothing", async () => {
  const served = start((request) => {
    if (request.unique === 2n) throw new Errno("ENOENT");
    return Promise.reject(new Errno("ENOSPC"));
  });
  served.fixture.deliver(readMessage(2n));
  served.fixture.deliver(readMessage(4n));
  await turn();
  assertEquals(repliesOf(served), [
    plainReply(2n, -ERRNO.ENOENT),
    plainReply(4n, -ERRNO.ENOSPC),
  ]);
  assertEquals(served.reports, []);
  await served.finish();
});

Deno.test("serve() answers any other error with EIO and reports it", async () => {
  const served = start((request) => {
    if (request.unique === 2n) throw new TypeError("at once");
    return Promise.reject(new TypeError("later"));
  });
  served.fixture.deliver(readMessage(2n));
  served.fixture.deliver(readMessage(4n));
  await turn();
  assertEquals(repliesOf(served), [
    plainReply(2n, -ERRNO.EIO),
    plainReply(4n, -ERRNO.EIO),
  ]);
  assertEquals(served.reports, [
    ["TypeError: at once", "READ"],
    ["TypeError: later", "READ"],
  ]);
  await served.finish();
});

Deno.test("serve() answers an unfilled reply with EIO and reports it", async () => {
  const served = start(() => {});
  served.fixture.deliver(readMessage(2n));
  await turn();
  assertEquals(repliesOf(served), [plainReply(2n, -ERRNO.EIO)]);
  assertEquals(served.reports.map(([, during]) => during), ["READ"]);
  await served.finish();
});

Deno.test("serve() sends nothing for FORGET, even if the handler fills the reply", async () => {
  const served = start(
    (request, reply) => {
      if (request.unique === 2n) return;
      if (request.unique === 4n) return reply.none();
      reply.ok();
    },
    {},
    1,
  );
  for (const unique of [2n, 4n, 6n]) {
    served.fixture.deliver(forgetMessage(unique));
  }
  served.fixture.deliver(readMessage(8n));
  await turn();
  assertEquals(repliesOf(served), [plainReply(8n)]);
  assertEquals(served.reports, []);
  await served.finish();
});

Deno.test("serve() waits for an answer when the queue is full", async () => {
  const answers = new PendingAnswers();
  const served = start(answers.handle, {}, 2);
  for (const unique of [2n, 4n, 6n, 8n]) {
    served.fixture.deliver(readMessage(unique));
  }
  await turn();
  assertEquals(answers.taken, [2n, 4n]);
  await answers.give(4n);
  assertEquals(answers.taken, [2n, 4n, 6n]);
  await answers.give(2n);
  assertEquals(answers.taken, [2n, 4n, 6n, 8n]);
  await answers.give(6n);
  await answers.give(8n);
  const ids = repliesOf(served).map(({ unique }) => unique);
  assertEquals(ids, [4n, 2n, 6n, 8n]);
  await served.finish();
});

Deno.test("serve() counts requests in the statistics", async () => {
  const statistics = QueueStatistics.create(1);
  let inFlight = 0;
  const served = start((request, reply) => {
    inFlight = Math.max(inFlight, statistics.inFlight);
    if (request.opcode === OPCODES.READ.opcode) return reply.ok(100);
    if (request.opcode !== OPCODES.WRITE.opcode) throw new Errno("EPERM");
    writeStruct("fuse_write_out", reply.body, 0, { size: 60 });
    reply.ok(8);
  }, { statistics });
  const { fixture } = served;
  fixture.deliver(readMessage(2n));
  fixture.deliver(readMessage(4n));
  fixture.deliver(writeMessage(6n, new Uint8Array(70)));
  fixture.deliver(message("STATFS", { unique: 8n }));
  await turn();
  await served.finish();
  assertEquals(statistics.totals(), [{
    index: 0,
    requests: 4,
    reads: 2,
    writes: 1,
    bytesRead: 200,
    bytesSpliced: 0,
    bytesWritten: 60,
    errors: 1,
  }]);
  assertEquals(inFlight, 1);
  assertEquals(statistics.inFlight, 0);
});

Deno.test("serve() does not count an unsupported INTERRUPT as an error", async () => {
  const statistics = QueueStatistics.create(1);
  const served = start((_request, reply) => reply.error(ERRNO.ENOSYS), {
    statistics,
  });
  const body = new Uint8Array(8);
  served.fixture.deliver(message("INTERRUPT", { unique: 3n, body }));
  served.fixture.deliver(message("STATFS", { unique: 4n }));
  await turn();
  await served.finish();
  const [{ requests, errors }] = statistics.totals() as [QueueTotals];
  assertEquals([requests, errors], [2, 1]);
});

Deno.test("serve() takes no more once it has to stop", async () => {
  const statistics = QueueStatistics.create(1);
  const served = start((request, reply) => {
    if (request.unique === 4n) statistics.stop();
    reply.ok();
  }, { statistics });
  for (const unique of [2n, 4n, 6n]) {
    served.fixture.deliver(readMessage(unique));
  }
  assertEquals((await served.ended).reason, "closed");
  assertEquals(repliesOf(served), [plainReply(2n), plainReply(4n)]);
});

Deno.test("serve() answers what is outstanding before it ends", async () => {
  const answers = new PendingAnswers();
  const statistics = QueueStatistics.create(1);
  const served = start(answers.handle, { statistics });
  served.fixture.deliver(readMessage(2n));
  await turn();
  statistics.stop();
  served.fixture.deliver(readMessage(4n));
  let over = false;
  served.ended.then(() => over = true);
  await turn();
  assertEquals(over, false);
  for (const unique of answers.taken) await answers.give(unique);
  assertEquals((await served.ended).reason, "closed");
  assertEquals(repliesOf(served).length, answers.taken.length);
});

Deno.test("serve() waits for outstanding answers for a limited time", async () => {
  const served = start(() => new Promise<void>(() => {}), { drainMs: 30 });
  served.fixture.deliver(readMessage(2n));
  await turn();
  const began = performance.now();
  assertEquals((await served.finish()).reason, "unmounted");
  const took = performance.now() - began;
  assert(took >= 25, `${took}`);
  assertLess(took, 1500);
});

Deno.test("serve() ends in time although the clock is set back", async () => {
  const realNow = Date.now;
  const served = start(() => new Promise<void>(() => {}), { drainMs: 30 });
  served.fixture.deliver(readMessage(2n));
  await turn();
  let timer: ReturnType<typeof setTimeout> | undefined;
  try {
    // Each reading is a year earlier than the one before.
    let offset = 0;
    Date.now = () => realNow() - (offset += 365 * 86_400_000);
    const late = new Promise((resolve) => {
      timer = setTimeout(resolve, 60_000, "late");
    });
    const end = await Promise.race([served.finish(), late]);
    assertEquals((end as QueueEnd).reason, "unmounted");
  } finally {
    clearTimeout(timer);
    Date.now = realNow;
  }
});

Deno.test("serve() lets timers run while requests keep coming", async () => {
  let requests = 0;
  let rang = 0;
  const served = start((request, reply) => {
    reply.ok();
    requests++;
    // There is always another request, until the timer has run.
    if (rang === 0 && requests < 5_000_000) {
      served.fixture.deliver(readMessage(request.unique + 2n));
      if (requests % 1000 === 0) served.fixture.replies();
    }
  });
  const timer = setTimeout(() => rang = requests, 1);
  served.fixture.deliver(readMessage(2n));
  while (rang === 0 && requests < 5_000_000) await turn();
  clearTimeout(timer);
  assert(rang > 0, `no timer ran during ${requests} requests`);
  await served.finish();
});

Deno.test("serve() takes answers at once and later in any order", async () => {
  let promised = 0;
  const served = start((request, reply) => {
    const id = Number(request.unique);
    if (id % 7 === 0) throw new Errno("EAGAIN");
    if (id % 3 !== 0) return reply.ok();
    promised++;
    return turn().then(() => reply.ok());
  });
  const count = 500;
  for (let i = 1; i <= count; i++) {
    served.fixture.deliver(readMessage(BigInt(i)));
  }
  const seen = new Map<bigint, number>();
  while (seen.size < count) {
    await turn();
    for (const { unique, error } of repliesOf(served)) {
      assert(!seen.has(unique), `two replies for ${unique}`);
      seen.set(unique, error);
    }
  }
  for (const [unique, error] of seen) {
    assertEquals(error, unique % 7n === 0n ? -ERRNO.EAGAIN : 0);
  }
  assert(promised > 100);
  await served.finish();
});

Deno.test("serve() sends the answer of a promise that waits for nothing before it takes the next request", async () => {
  const log: string[] = [];
  const served = start(async ({ unique }, reply) => {
    log.push(`take ${unique}`);
    for (let i = 0; i < 10; i++) await undefined;
    reply.ok();
    log.push(`answer ${unique}`);
  });
  for (const unique of [2n, 4n]) served.fixture.deliver(readMessage(unique));
  await turn();
  assertEquals(log, ["take 2", "answer 2", "take 4", "answer 4"]);
  await served.finish();
});

Deno.test("serve() ends with a queue that fails", async () => {
  const served = start((_, reply) => reply.ok());
  served.fixture.deliver(readMessage(2n).slice(0, 20));
  assertEquals((await served.ended).reason, "failed");
});

Deno.test("serve() lets timers run although its waits end at once", async () => {
  let end: QueueEnd | null = null;
  const queue: RequestQueue = {
    protocolVersion: ProtocolVersion.BEFORE_INIT,
    get end() {
      return end;
    },
    next: () => null,
    ready: () => Promise.resolve(),
    reply: () => true,
    close: () => {},
  };
  setTimeout(() => end = { reason: "closed", message: "By a timer" }, 1);
  const { message } = await serve(queue, { handle: () => {} });
  assertEquals(message, "By a timer");
});
