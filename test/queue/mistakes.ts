/**
 * The mistakes of a file system's author: what a handler does wrong, and what
 * the report says of it. Each costs its request EIO, and nothing else.
 *
 * @module
 */
import { Completion } from "../../src/event/completion.ts";
import { accessors } from "../../src/protocol/accessors.ts";
import { OPCODES } from "../../src/protocol/opcodes.ts";
import type { Reply } from "../../src/protocol/reply.ts";
import type { RequestHandler } from "../../src/queue/request_handler.ts";
import type { Mistake } from "./mistake.ts";
import { MISTAKEN_CALLS } from "./mistaken_calls.ts";

const { opcode: OPCODE_AT, unique: UNIQUE_AT } = accessors("fuse_in_header").at;
const READ_SIZE_AT = accessors("fuse_read_in").at.size;

const MEMORY: Mistake[] = [
  {
    name: "writes more than there is room for",
    handle: (_request, reply) => reply.data.set(new Uint8Array(200_000)),
    reports: [/RangeError/],
  },
  {
    name: "transfers the memory of the reply, then answers",
    handle(_request, reply) {
      transfer(reply.data);
      reply.ok();
    },
    reports: [/TypeError: .*detached/, /without answering READ/],
  },
  {
    name: "transfers the memory of the reply after the answer",
    handle(_request, reply) {
      reply.ok(512);
      transfer(reply.data);
    },
    reports: [/TypeError: .*detached/],
  },
  {
    name: "transfers the memory of the request, then answers",
    handle(request, reply) {
      transfer(request.header);
      reply.ok(512);
    },
    reports: [/TypeError: .*detached/, /without answering READ/],
  },
  {
    name: "transfers the memory of the request after the answer",
    handle(request, reply) {
      reply.ok();
      transfer(request.header);
    },
    reports: [],
    errno: 0,
  },
  {
    name: "makes its request one without a reply",
    handle(request, reply) {
      request.header.setUint32(OPCODE_AT, OPCODES.FORGET.opcode, true);
      reply.none();
    },
    reports: [/READ \(unique 4\) by none\(\): its caller waits for a reply/],
  },
  {
    name: "makes its request one that wants more",
    handle(request, reply) {
      request.body.setUint32(READ_SIZE_AT, 200_000, true);
      reply.ok(513);
    },
    reports: [/READ \(unique 4\) by ok\(513\): there is room for 512 bytes/],
  },
  {
    name: "changes the id of its request",
    handle(request, reply) {
      request.header.setBigUint64(UNIQUE_AT, 6n, true);
      reply.ok();
    },
    reports: [],
    errno: 0,
  },
  {
    name: "answers by a pipe that it has not",
    handle: (_request, reply) => reply.okInPipe(10),
    reports: [/READ \(unique 4\) by okInPipe\(10\): its handler has no pipe/],
  },
  {
    name: "retires the reply",
    handle: (_request, reply) => reply.retire(),
    reports: [/without answering READ/],
  },
];

/** Gives memory away, as postMessage() to a Worker does. */
function transfer({ buffer }: ArrayBufferView): void {
  structuredClone(buffer, { transfer: [buffer as ArrayBuffer] });
}

/** A promise-like value with its own idea of `then`. */
function thenable(then: unknown): PromiseLike<unknown> {
  return { then } as PromiseLike<unknown>;
}

type Settle = (value?: unknown) => void;

function filled(
  answer: (reply: Reply) => unknown,
): RequestHandler["handle"] {
  return (_request, reply) => {
    reply.ok();
    return answer(reply) as PromiseLike<unknown>;
  };
}

const ANSWERS: Mistake[] = [
  ...[5, null, true, "ok", {}].map((value): Mistake => ({
    name: `returns ${JSON.stringify(value)}`,
    handle: filled(() => value),
    reports: [/TypeError: Expected a promise, received /],
  })),
  {
    name: "returns without an answer",
    handle: () => {},
    reports: [/returned without answering READ/],
  },
  {
    name: "fulfils its promise without an answer",
    handle: () => Promise.resolve(),
    reports: [/returned without answering READ/],
  },
  {
    name: "throws after its answer",
    handle: filled(() => {
      throw new Error("too late");
    }),
    reports: [/Error: too late/],
  },
  {
    name: "rejects after its answer",
    handle: filled(() => Promise.reject(new Error("too late"))),
    reports: [/Error: too late/],
  },
  {
    name: "returns what calls both callbacks",
    handle: filled(() =>
      thenable((resolve: Settle, reject: Settle) => {
        resolve();
        reject(new Error("ignored"));
      })
    ),
    reports: [],
    errno: 0,
  },
  {
    name: "returns what calls back twice, and throws",
    handle: filled(() =>
      thenable((resolve: Settle) => {
        resolve();
        resolve();
        throw new Error("ignored");
      })
    ),
    reports: [],
    errno: 0,
  },
  {
    name: "returns a promise whose own then() calls back twice",
    handle: filled(() =>
      Object.assign(Promise.resolve(), {
        then(resolve: Settle) {
          resolve();
          resolve();
        },
      })
    ),
    reports: [],
    errno: 0,
  },
  {
    name: "returns what has a then() that throws",
    handle: filled(() =>
      thenable(() => {
        throw new Error("no then");
      })
    ),
    reports: [/Error: no then/],
  },
  {
    name: "returns what has a getter of then that throws",
    handle: filled(() =>
      Object.defineProperty({}, "then", {
        get() {
          throw new Error("no getter");
        },
      })
    ),
    reports: [/Error: no getter/],
  },
  {
    name: "returns a completion that was consumed",
    handle: filled(() => {
      const completion = Completion.start<number>();
      completion.complete(1);
      completion.deliverTo({ complete() {}, fail() {} });
      return completion;
    }),
    reports: [/was consumed already/],
  },
];

/** After the time in which the test answers further requests. */
function later(fn: () => void): Promise<void> {
  return new Promise((resolve, reject) =>
    setTimeout(() => {
      try {
        resolve(fn());
      } catch (error) {
        reject(error);
      }
    }, 20)
  );
}

/** Fills and sends what belongs to nobody any more. */
function spoil(reply: Reply): Promise<void> {
  return later(() => {
    reply.data.fill(0xee);
    reply.reset();
    reply.ok(512);
  });
}

const DEAD = /READ \(unique 4\) by ok\(512\): the request was answered already/;

const LATE: Mistake[] = [
  {
    name: "answers after a time-out",
    handle: (_request, reply) =>
      Promise.race([
        spoil(reply),
        Promise.reject(Object.assign(new Error(), { code: "ETIMEDOUT" })),
      ]),
    reports: [DEAD],
    errno: 110,
  },
  {
    name: "forgets to return its promise",
    handle(_request, reply) {
      spoil(reply).catch(() => {});
    },
    reports: [/returned without answering READ/, DEAD],
  },
  {
    name: "answers again later",
    handle(_request, reply) {
      reply.ok();
      later(() => reply.ok(512)).catch(() => {});
    },
    reports: [DEAD],
    errno: 0,
  },
  {
    name: "writes to memory of the reply that was freed",
    handle(_request, reply) {
      const { data, body } = reply;
      reply.ok();
      later(() => {
        for (let at = 0; at < 512; at++) data[at] = 0xee;
        try {
          body.setUint32(0, 1);
        } catch {
          reply.ok(data.length + 512);
        }
      }).catch(() => {});
    },
    reports: [DEAD],
    errno: 0,
  },
  {
    name: "answers wrongly where nothing catches the error",
    handle: (_request, reply) => {
      // Not by its class: a module in a Worker has another one.
      later(() => reply.ok(2.5)).catch((error) => error.uncaught());
      return new Promise(() => {});
    },
    reports: [/READ \(unique 4\) by ok\(2.5\): a reply to it has 0 to 512/],
  },
];

/**
 * Answers in a timer or a forgotten promise, whose errors nothing catches: only
 * for a server in a process of its own.
 */
export const UNCAUGHT: readonly Mistake[] = [
  {
    name: "answers wrongly in a timer",
    handle(_request, reply) {
      setTimeout(() => reply.ok(2.5), 20);
      return new Promise(() => {});
    },
    reports: [/READ \(unique 4\) by ok\(2.5\): a reply to it has 0 to 512/],
  },
  {
    name: "answers again in a timer",
    handle(_request, reply) {
      reply.ok();
      setTimeout(() => reply.ok(512), 20);
    },
    reports: [DEAD],
    errno: 0,
  },
  {
    name: "fills memory of the reply that was freed, in a timer",
    handle(_request, reply) {
      reply.ok();
      setTimeout(() => reply.data.fill(0xee), 20);
    },
    reports: [/TypeError: .*detached.*ArrayBuffer/],
    during: "an answered request",
    errno: 0,
  },
  {
    name: "forgets its promise, which is rejected",
    handle(_request, reply) {
      spoil(reply);
    },
    reports: [/returned without answering READ/, DEAD],
  },
];

/** All of them but those in the contents of a reply. */
export const MISTAKES: readonly Mistake[] = [
  ...MISTAKEN_CALLS,
  ...MEMORY,
  ...ANSWERS,
  ...LATE,
];
