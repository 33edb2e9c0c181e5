/**
 * The mistakes of a file system's author: what a handler does wrong, and what
 * the report says of it. Each costs its request EIO, and nothing else.
 *
 * @module
 */
import { Completion } from "../../src/event/completion.ts";
import { encodeStruct } from "../../src/protocol/codec.ts";
import { DirentWriter } from "../../src/protocol/dirent.ts";
import { S_IF } from "../../src/base/file_flags.ts";
import {
  encodeRequest,
  type RequestParts,
} from "../../src/protocol/message.ts";
import type { OpcodeName } from "../../src/protocol/opcodes.ts";
import type { Reply } from "../../src/protocol/reply.ts";
import type { Encodable } from "../../src/protocol/types.ts";
import { ReplyError } from "../../src/protocol/reply_error.ts";
import type { RequestHandler } from "../../src/queue/request_handler.ts";

/** A request's name, and its parts. */
type WrongRequest = readonly [OpcodeName, RequestParts<OpcodeName>];

/** A mistake. */
export interface Mistake {
  /** What the handler does. */
  readonly name: string;
  /** The request; a READ of 512 bytes if left out. */
  readonly request?: WrongRequest;
  /** Makes the mistake. */
  readonly handle: RequestHandler["handle"];
  /** What the reports say, in order. */
  readonly reports: readonly RegExp[];
  /** The error that the caller gets, if not EIO; 0 if the answer is right. */
  readonly errno?: number;
}

const READ: WrongRequest = ["READ", { body: { size: 512 } }];

/** The request of a mistake, as bytes. */
export function requestOf(
  { request = READ }: Mistake,
  unique: bigint,
): Uint8Array<ArrayBuffer> {
  const [name, parts] = request;
  return encodeRequest(name, { ...parts, header: { unique, nodeid: 1n } });
}

/** A call with an argument that TypeScript would refuse. */
function call(name: "ok" | "error" | "none", value?: unknown): Mistake {
  const shown = typeof value === "string" ? JSON.stringify(value) : `${value}`;
  return {
    name: name === "none" ? "none()" : `${name}(${shown})`,
    handle: (_request, reply) => reply[name](value as number),
    reports: [
      new RegExp(
        `^ReplyError: Cannot answer READ \\(unique 4\\) by ${name}\\(.*\\): `,
      ),
    ],
  };
}

const CALLS: Mistake[] = [
  ...[-2, 600, 512, 0, -0, 2.5, NaN, Infinity, 2 ** 32 + 5, "5", null]
    .map((value) => call("error", value)),
  ...[-1, 513, 200_000, 2.5, NaN, Infinity, 2 ** 32, "5", null]
    .map((value) => call("ok", value)),
  call("none"),
  {
    name: "struct() of another request",
    handle: (_request, reply) => reply.struct("fuse_attr_out", {}),
    reports: [/READ \(unique 4\) by struct\(fuse_attr_out\): a reply to it/],
  },
  {
    name: "ok() twice",
    handle(_request, reply) {
      reply.ok();
      reply.ok();
    },
    reports: [/READ \(unique 4\) by ok\(0\): the request was answered already/],
  },
  {
    name: "error() after ok()",
    handle(_request, reply) {
      reply.ok();
      reply.error(2);
    },
    reports: [/by error\(2\): the request was answered already/],
  },
  {
    name: "writes more than there is room for",
    handle: (_request, reply) => reply.data.set(new Uint8Array(200_000)),
    reports: [/RangeError/],
  },
];

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
    name: "rejects with undefined",
    handle: () => Promise.reject(),
    reports: [/Handler threw undefined, which is no Error/],
  },
  {
    name: "throws a string",
    handle: () => {
      throw "no";
    },
    reports: [/Handler threw no, which is no Error/],
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
      spoil(reply).catch(() => {});
    },
    reports: [DEAD],
    errno: 0,
  },
  {
    name: "answers wrongly where nothing catches the error",
    handle: (_request, reply) => {
      later(() => reply.ok(2.5)).catch((error) => {
        if (error instanceof ReplyError) error.uncaught();
      });
      return new Promise(() => {});
    },
    reports: [/READ \(unique 4\) by ok\(2.5\): a reply to it has 0 to 512/],
  },
];

const FILE = S_IF.REG | 0o644;
const HUGE = 2n ** 63n;

function attributes(
  name: string,
  attr: Encodable<"fuse_attr">,
  report: RegExp,
): Mistake {
  return {
    name: `GETATTR with ${name}`,
    request: ["GETATTR", {}],
    handle: (_request, reply) => reply.struct("fuse_attr_out", { attr }),
    reports: [report],
  };
}

/** Sends bytes that were made without the help of the library. */
function raw(
  name: string,
  request: WrongRequest,
  bytes: Uint8Array,
  report: RegExp,
): Mistake {
  return {
    name,
    request,
    handle(_request, reply) {
      reply.data.set(bytes);
      reply.ok(bytes.length);
    },
    reports: [report],
  };
}

function text(value: string): Uint8Array {
  return new TextEncoder().encode(value);
}

/** An entry of a directory whose name is four bytes long. */
function dirent(name: string): Uint8Array {
  const bytes = new Uint8Array(32);
  bytes.set(
    encodeStruct("fuse_dirent", { ino: 1n, off: 1n, namelen: 4, type: 8 }),
  );
  bytes.set(text(name), 24);
  return bytes;
}

const READDIR: WrongRequest = ["READDIR", { body: { size: 4096 } }];
const VALUE: WrongRequest = [
  "GETXATTR",
  { body: { size: 4 }, names: ["user.a"] },
];

const CONTENTS: Mistake[] = [
  attributes("a size of 2^63", { mode: FILE, size: HUGE }, /is 2\^63 or more/),
  attributes("a negative size", { mode: FILE, size: -1n }, /fuse_attr.size/),
  attributes(
    "NaN as its size",
    { mode: FILE, size: NaN as unknown as bigint },
    /fuse_attr.size: expected a whole number/,
  ),
  attributes("NaN as its mode", { mode: NaN }, /fuse_attr.mode/),
  attributes("no file type", { mode: 0o644 }, /has no file type/),
  attributes("2^32 links", { mode: FILE, nlink: 2 ** 32 }, /fuse_attr.nlink/),
  {
    name: "OPEN with a negative handle",
    request: ["OPEN", {}],
    handle: (_request, reply) => reply.struct("fuse_open_out", { fh: -1n }),
    reports: [/OPEN \(unique 4\).*fuse_open_out.fh/],
  },
  {
    name: "OPEN with a handle that is a number",
    request: ["OPEN", {}],
    handle: (_request, reply) =>
      reply.struct("fuse_open_out", { fh: 5 as unknown as bigint }),
    reports: [/fuse_open_out.fh: expected a whole number from 0n/],
  },
  {
    name: "WRITE of more than was to be written",
    request: ["WRITE", { data: new Uint8Array(4) }],
    handle: (_request, reply) => reply.struct("fuse_write_out", { size: 5 }),
    reports: [/WRITE \(unique 4\) by ok\(8\): fuse_write_out.size is more/],
  },
  {
    name: "LOOKUP with attributes of no type",
    request: ["LOOKUP", { names: ["a"] }],
    handle: (_request, reply) => reply.struct("fuse_entry_out", { nodeid: 2n }),
    reports: [/LOOKUP \(unique 4\).*has no file type/],
  },
  {
    name: "MKDIR of a file",
    request: ["MKDIR", { names: ["a"] }],
    handle: (_request, reply) =>
      reply.struct("fuse_entry_out", { nodeid: 2n, attr: { mode: FILE } }),
    reports: [/MKDIR \(unique 4\).*is not of type 0o40000/],
  },
  {
    name: "LSEEK to 2^63",
    request: ["LSEEK", {}],
    handle: (_request, reply) =>
      reply.struct("fuse_lseek_out", { offset: HUGE }),
    reports: [/LSEEK \(unique 4\).*is 2\^63 or more/],
  },
  {
    name: "the size of a value of 1 MiB",
    request: ["GETXATTR", { names: ["user.a"] }],
    handle: (_request, reply) =>
      reply.struct("fuse_getxattr_out", { size: 1 << 20 }),
    reports: [/GETXATTR \(unique 4\).*is more than 65536/],
  },
  {
    name: "the name of an entry with a NUL",
    request: READDIR,
    handle(_request, reply) {
      new DirentWriter(reply.data, 4096).add("a\0b", 1n, 1n, 8);
      reply.ok();
    },
    reports: [/RangeError: Cannot list the name "a.*b": it contains a NUL/],
  },
  raw("a slash in bytes of READDIR", READDIR, dirent("a/bc"), /a slash/),
  raw("a NUL in bytes of READDIR", READDIR, dirent("a\0bc"), /a NUL/),
  raw(
    "more than the size of READDIR",
    READDIR,
    new Uint8Array(4096),
    /0 bytes/,
  ),
  raw("a value that is too long", VALUE, text("12345"), /Error/),
  raw(
    "a list of names without its last NUL",
    ["LISTXATTR", { body: { size: 64 } }],
    text("user.a\0user.b"),
    /LISTXATTR \(unique 4\).*its last name has no NUL/,
  ),
  raw("a link's target with a NUL", ["READLINK", {}], text("a\0b"), /a NUL/),
];

/** All of them. */
export const MISTAKES: readonly Mistake[] = [
  ...CALLS,
  ...ANSWERS,
  ...LATE,
  ...CONTENTS,
];
