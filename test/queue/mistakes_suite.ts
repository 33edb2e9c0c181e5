/**
 * Every queue with every mistake of a handler: the mistake costs its request
 * EIO, is reported, and touches no other request.
 *
 * @module
 */
import { assert, assertEquals, assertMatch } from "@std/assert";
import { ERRNO } from "../../src/base/errno.ts";
import type { Reply } from "../../src/protocol/reply.ts";
import type { Request } from "../../src/protocol/request.ts";
import { serve } from "../../src/queue/serve.ts";
import { parseReply, readMessage, turn } from "./messages.ts";
import { MISTAKEN_CONTENTS } from "./mistaken_contents.ts";
import { type Mistake, requestOf } from "./mistake.ts";
import { MISTAKES } from "./mistakes.ts";
import type { FixtureOptions, QueueFixture } from "./queue_suite.ts";

/** A hard limit, for a loaded machine. */
const LIMIT_MS = 60_000;
/** The request of the mistake. */
const WRONG = 4n;
/** Requests before, beside and after it, which reuse its memory. */
const RIGHT = [2n, 6n, 8n, 10n, 12n, 14n, 16n, 18n];
/** Milliseconds for which the last requests wait: longer than what is late. */
const SLOW_MS = 60;

/** Declares the tests of one kind of queue: of all mistakes, or of some. */
export function mistakesSuite(
  name: string,
  make: (options: FixtureOptions) => QueueFixture,
  mistakes: readonly Mistake[] = [...MISTAKES, ...MISTAKEN_CONTENTS],
): void {
  for (const mistake of mistakes) {
    Deno.test(`${name} survives a handler's mistake: ${mistake.name}`, () =>
      survives(mistake, make({ capacity: 3, maxPayload: 65536 })));
  }
}

async function survives(mistake: Mistake, fixture: QueueFixture) {
  const { queue, deliver } = fixture;
  const reports: string[] = [];
  const served = serve(queue, {
    handle(request, reply) {
      if (request.unique === WRONG) return mistake.handle(request, reply);
      return rightly(request, reply);
    },
  }, { report: (error) => reports.push(String(error)) });
  const replies = new Map<bigint, ReturnType<typeof parseReply>>();
  const until = async (isDone: () => boolean) => {
    const deadline = performance.now() + LIMIT_MS;
    while (!isDone()) {
      assert(performance.now() < deadline, `only ${[...replies.keys()]}`);
      await turn();
      for (const bytes of fixture.replies()) {
        const reply = parseReply(bytes);
        assert(!replies.has(reply.unique), `${reply.unique} twice`);
        replies.set(reply.unique, reply);
      }
    }
  };
  try {
    deliver(readMessage(RIGHT[0]!));
    deliver(requestOf(mistake, WRONG));
    for (const unique of RIGHT.slice(1)) deliver(readMessage(unique));
    await until(() => replies.size === RIGHT.length + 1);
    await until(() => reports.length >= mistake.reports.length);
    assertEquals(replies.get(WRONG)!.error, -(mistake.errno ?? ERRNO.EIO));
    for (const unique of RIGHT) {
      const { error, body } = replies.get(unique)!;
      assertEquals(error, 0);
      assertEquals(body, new Uint8Array(512).fill(Number(unique)));
    }
    assertEquals(reports.length, mistake.reports.length, reports.join("\n"));
    mistake.reports.forEach((pattern, i) => assertMatch(reports[i]!, pattern));
    assertEquals(queue.end, null);
  } finally {
    fixture.end("unmounted");
    await served;
    await fixture.dispose();
  }
}

async function rightly(request: Request, reply: Reply): Promise<void> {
  const { unique } = request;
  reply.data.fill(Number(unique));
  // The last ones wait while the late answer comes.
  if (unique > 10n) await new Promise((r) => setTimeout(r, SLOW_MS));
  reply.ok(512);
}
