import { assertEquals } from "@std/assert";
import { libc } from "../../src/linux/syscall/libc.ts";
import { QueueStatistics } from "../../src/queue/queue_statistics.ts";
import type { QueueEnd } from "../../src/queue/request_queue.ts";
import { SessionNotifier } from "../../src/session/session_notifier.ts";
import { Session } from "../../src/session/session.ts";
import type { SessionParts } from "../../src/session/session_parts.ts";

// It stays loaded, which no test is to answer for.
libc();

const UNMOUNTED: QueueEnd = { reason: "unmounted", message: "" };

/**
 * A session of two queues, which the test or an unmount ends.
 *
 * @param kind The transport.
 * @param isGone Whether another program has unmounted it.
 */
function fake(kind: "device" | "uring", isGone = () => false) {
  const statistics = QueueStatistics.create(2);
  const ends = [0, 1].map(() => Promise.withResolvers<QueueEnd>());
  const told: string[] = [];
  const reclaimed: number[] = [];
  let unmounts = 0;
  let crashes = false;
  const failing = (message: string) =>
    crashes ? Promise.reject(new Error(message)) : Promise.resolve(null);
  const session = new Session({
    mount: {
      path: "/mnt",
      unmount() {
        unmounts++;
        for (const { resolve } of ends) resolve(UNMOUNTED);
        return unmounts === 1 && !isGone() ? "unmounted" : "gone";
      },
      unmountUnused() {
        return Promise.resolve(this.unmount());
      },
      async *users() {},
      abort: () => false,
      waiting: () => 0,
      close() {},
    },
    mountMethod: "mount",
    allowOther: true,
    offered: {} as SessionParts["offered"],
    negotiated: {} as SessionParts["negotiated"],
    transport: { kind, reason: null, batching: false, whyNoBatches: null },
    splicing: { from: null, reason: null },
    passthrough: { kind: "off", reason: null },
    backingId: null,
    singleQueueReason: null,
    statistics,
    servers: ends.map(({ promise }) => ({
      done: promise,
      serve() {},
      terminate() {},
    })),
    warn: (text) => told.push(text),
    notifier: new SessionNotifier("none", { minor: 45 }),
    hangMs: 30_000,
    reclaim(queue) {
      reclaimed.push(queue);
      return queue === 0
        ? Promise.reject(new Error("It fails"))
        : Promise.resolve();
    },
    stopTimeoutMs: 0,
    inUse: () => {},
    notice: () => {},
    flush: () => failing("the flush"),
    release: async () => void await failing("the release"),
  });
  /** Makes the queues and the end of the session fail. */
  const crash = (message: string) => {
    crashes = true;
    for (const { reject } of ends) reject(new Error(message));
  };
  const fail = (index: number) =>
    ends[index]!.resolve({ reason: "failed", message: "it died" });
  const end = (reason: QueueEnd) => {
    for (const { resolve } of ends) resolve(reason);
  };
  return {
    session,
    told,
    reclaimed,
    fail,
    crash,
    end,
    statistics,
    unmounts: () => unmounts,
  };
}

Deno.test("the other queues continue after one has failed", async () => {
  const { session, told, reclaimed, fail, unmounts } = fake("device");
  fail(1);
  await new Promise((resolve) => setTimeout(resolve));
  assertEquals(told, ["Queue 1 failed: it died; the other queues continue"]);
  assertEquals(reclaimed, [1]);
  assertEquals(unmounts(), 0);
  const report = await session.close();
  assertEquals(report.clean, false);
  assertEquals(report.problems, ["Queue 1 failed: it died"]);
  assertEquals(reclaimed, [1, 0]);
  assertEquals(told.slice(1), [
    "Cannot find the size after queue 0 ended: It fails",
  ]);
});

Deno.test("a queue that has failed has no room", async () => {
  const { session, fail, statistics } = fake("device");
  fail(1);
  await new Promise((resolve) => setTimeout(resolve));
  assertEquals(statistics.queues.map(({ hasRoom }) => hasRoom), [true, false]);
  await session.close();
});

Deno.test("a queue that fails over io_uring ends the session", async () => {
  const { session, told, fail } = fake("uring");
  fail(1);
  const report = await session.closed;
  assertEquals(told.slice(0, 1), [
    "Queue 1 failed: it died; over io_uring the other queues cannot replace it, so the session ends",
  ]);
  assertEquals(report.problems, ["Queue 1 failed: it died"]);
});

Deno.test("the last queue that fails ends the session", async () => {
  const { session, told, fail, unmounts } = fake("device");
  fail(0);
  fail(1);
  const report = await session.closed;
  assertEquals(unmounts(), 1);
  assertEquals(told.length, 2);
  assertEquals(report.problems.length, 2);
});

const ABORTED =
  "Another program aborted the connection of /mnt: requests in flight failed, and what had not yet been written to it may be lost";

Deno.test("a session that another program unmounts ends cleanly", async () => {
  const { session, end } = fake("device", () => true);
  end(UNMOUNTED);
  assertEquals((await session.closed).problems, []);
});

Deno.test("a connection that another program aborts is no clean end", async () => {
  for (const kind of ["device", "uring"] as const) {
    const gone = fake(kind, () => true);
    gone.end({ reason: "aborted", message: "" });
    assertEquals((await gone.session.closed).problems, [ABORTED]);
    // Over io_uring, and for an old kernel, both ends look the same; but the
    // mount is still there.
    const there = fake(kind);
    there.end(UNMOUNTED);
    const { clean, problems } = await there.session.closed;
    assertEquals([clean, problems], [false, [ABORTED]]);
  }
});

Deno.test("closed never rejects, although each part of the end fails", async () => {
  const { session, crash } = fake("device");
  crash("the loop");
  assertEquals((await session.closed).problems, [
    "Queue 0 failed: the loop",
    "Queue 1 failed: the loop",
    "the flush",
    "the release",
  ]);
});

Deno.test("a session that its owner aborts has no problem", async () => {
  const { session } = fake("device");
  assertEquals((await session.abort()).problems, []);
});
