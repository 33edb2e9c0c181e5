import { assert, assertEquals } from "@std/assert";
import { ProtocolVersion } from "../../src/protocol/protocol_version.ts";
import { ForwardingQueue } from "../../src/queue/forwarding_queue.ts";
import type { RequestQueue } from "../../src/queue/request_queue.ts";

/**
 * A use of each member of `RequestQueue`. The type makes the list complete, so
 * that a new member must be forwarded too.
 */
const USES: Record<keyof RequestQueue, (queue: RequestQueue) => unknown> = {
  protocolVersion: (queue) => queue.protocolVersion,
  end: (queue) => queue.end,
  next: (queue) => queue.next(true),
  ready: (queue) => queue.ready(),
  reply: (queue) => queue.reply({} as Parameters<RequestQueue["reply"]>[0]),
  close: (queue) => queue.close(),
};

Deno.test("ForwardingQueue forwards every member", () => {
  const used: (string | symbol)[] = [];
  const inner = new Proxy({} as RequestQueue, {
    get(_target, name) {
      used.push(name);
      return name === "protocolVersion" || name === "end"
        ? null
        : (...args: unknown[]) => args;
    },
  });
  const queue = new ForwardingQueue(inner);
  for (const [name, use] of Object.entries(USES)) {
    assert(name in queue, name);
    use(queue);
  }
  assertEquals(used, Object.keys(USES));
});

Deno.test("ForwardingQueue passes on arguments and results", () => {
  const calls: unknown[][] = [];
  const exchange = {} as Parameters<RequestQueue["reply"]>[0];
  const inner: RequestQueue = {
    protocolVersion: ProtocolVersion.BEFORE_INIT,
    end: { reason: "aborted", message: "gone" },
    next: (mayBlock) => (calls.push(["next", mayBlock]), exchange),
    ready: () => Promise.resolve(),
    reply: (given) => (calls.push(["reply", given]), false),
    close: () => void calls.push(["close"]),
  };
  const queue = new ForwardingQueue(inner);
  assertEquals(queue.next(true), exchange);
  assertEquals(queue.reply(exchange), false);
  queue.close();
  queue.protocolVersion = ProtocolVersion.NEWEST;
  assertEquals(inner.protocolVersion, ProtocolVersion.NEWEST);
  assertEquals(queue.end, inner.end);
  assertEquals(calls, [["next", true], ["reply", exchange], ["close"]]);
});
