import { assert, assertEquals, assertMatch, assertRejects } from "@std/assert";
import {
  contiguousExchange,
  decodeStruct,
  encodeRequest,
  errnoName,
  errnoOf,
  type OpcodeName,
  ProtocolVersion,
} from "../../src/protocol/mod.ts";
import { FUSE_LK, FUSE_POLL, FUSE_RELEASE } from "../../src/protocol/flags.ts";
import type { RequestParts } from "../../src/protocol/message.ts";
import type { CacheOptions } from "../../src/filesystem/options.ts";
import { FileSystemHandler } from "../../src/filesystem/file_system_handler.ts";
import {
  FILE_SYSTEM_FLAGS,
  initFlags,
} from "../../src/filesystem/init_flags.ts";
import { MemoryFs } from "../../examples/memory.ts";
import { UserError } from "../../src/base/user_error.ts";
import { isReadOnly } from "../../src/filesystem/context.ts";
import { S_IF } from "../../src/base/file_flags.ts";
import { simulate } from "../../sim/mod.ts";
import { SlowFs } from "./_slow.ts";

const DIALECT = new ProtocolVersion();

/** A handler and a way to send it requests. */
function setUp(options: CacheOptions<object> = {}) {
  const fs = new SlowFs();
  const woken: bigint[] = [];
  const handler = new FileSystemHandler(fs, options, {
    groupsOf: (pid) => [pid, 5],
    wakePoll: (kh) => woken.push(kh),
  });
  let unique = 0n;
  const send = <N extends OpcodeName>(
    name: N,
    nodeid: bigint,
    parts: RequestParts<N> = {},
  ) => {
    unique += 2n;
    const header = { unique, nodeid, uid: 8, gid: 9, pid: 10 };
    const message = encodeRequest(name, { ...parts, header }, DIALECT);
    const { request, reply } = contiguousExchange(
      message.slice(),
      new Uint8Array(70_000),
    );
    assertEquals(request.validate(message.length, DIALECT), null);
    return { unique, reply, answer: handler.handle(request, reply) };
  };
  const { reply } = send("LOOKUP", 1n, { names: ["file"] });
  const file = decodeStruct("fuse_entry_out", reply.data).nodeid;
  const open = (flags = 2) => {
    const { reply } = send("OPEN", file, { body: { flags } });
    return decodeStruct("fuse_open_out", reply.data).fh;
  };
  return { fs, handler, send, file, woken, open };
}

Deno.test("a request that is answered later keeps its caller and its handle", async () => {
  const { fs, send, file, open, handler } = setUp();
  const fh = open();
  const first = send("READ", file, { body: { fh, size: 10 } });
  const second = send("READ", file, { body: { fh, size: 10, offset: 5n } });
  const [a, b] = fs.waiting;
  assert(a!.caller !== b!.caller);
  assertEquals([a!.caller.uid, a!.caller.gid, a!.caller.pid], [8, 9, 10]);
  assertEquals(a!.caller.groups, [10, 5]);
  b!.resolve(3);
  await second.answer;
  assertEquals([first.reply.filled, second.reply.length], [false, 16 + 3]);
  a!.resolve(Uint8Array.of(1, 2));
  await first.answer;
  assertEquals([...first.reply.data.subarray(0, 2)], [1, 2]);
  send("RELEASE", file, { body: { fh } });
  assertEquals(fs.done, ["open 2", "release handle"]);
  assertEquals(handler.handles, 0);
});

Deno.test("a handle is dropped when its file is closed, whether the file system has release() or not", () => {
  for (const hasRelease of [true, false]) {
    const { fs, send, file, open, handler } = setUp();
    if (!hasRelease) Object.assign(fs, { release: undefined });
    const fh = open();
    assertEquals(handler.handles, 1);
    send("RELEASE", file, { body: { fh } });
    assertEquals(handler.handles, 0);
  }
});

Deno.test("INTERRUPT fires the signal of the request that it names", async () => {
  const { fs, send, file, open } = setUp();
  const fh = open();
  const read = send("READ", file, { body: { fh, size: 10 } });
  const other = send("READ", file, { body: { fh, size: 10 } });
  const [waiting, untouched] = fs.waiting;
  const { signal } = waiting!.caller;
  signal.onabort = () => waiting!.reject(signal.reason);
  send("INTERRUPT", 0n, { body: { unique: read.unique } });
  const error = await assertRejects(async () => await read.answer);
  assertEquals(errnoName(errnoOf(error)), "EINTR");
  assertEquals(untouched!.caller.signal.aborted, false);
  untouched!.resolve(0);
  await other.answer;
  // Of a request that has been answered: nothing happens.
  send("INTERRUPT", 0n, { body: { unique: read.unique } });
});

Deno.test("a signal that is asked for after the INTERRUPT has fired", async () => {
  const { fs, send, file } = setUp();
  const read = send("READ", file, { body: { size: 10 } });
  send("INTERRUPT", 0n, { body: { unique: read.unique } });
  assertEquals(fs.waiting[0]!.caller.signal.aborted, true);
  fs.waiting[0]!.resolve(0);
  await read.answer;
});

Deno.test("timeoutMs answers ETIMEDOUT and fires the signal", async () => {
  const { fs, send, file } = setUp({ timeoutMs: 20 });
  const read = send("READ", file, { body: { size: 10 } });
  const { signal } = fs.waiting[0]!.caller;
  const error = await assertRejects(async () => await read.answer);
  assertEquals(errnoName(errnoOf(error)), "ETIMEDOUT");
  assertEquals(signal.aborted, true);
  fs.waiting[0]!.resolve(0);
});

Deno.test("an answer after timeoutMs is reported as what it is", async () => {
  const file = { mode: S_IF.REG | 0o444, size: 9 };
  const late = Promise.withResolvers<number>();
  const reported = Promise.withResolvers<Error>();
  await using simulation = await simulate({
    root: { mode: S_IF.DIR | 0o755 },
    getattr: (node: { mode: number }) => node,
    lookup: () => file,
    read: () => late.promise,
  }, { timeoutMs: 20, report: (error) => reported.resolve(error as Error) });
  const opened = await simulation.client().open("file");
  await assertRejects(
    () => opened.pread(new Uint8Array(9), 0),
    Error,
    "ETIMEDOUT",
  );
  late.resolve(3);
  const { message } = await reported.promise;
  assertMatch(message, /READ .*timeoutMs of 20 has failed .* ETIMEDOUT/);
  await opened.close();
});

Deno.test("tmpfile() alone makes a file system writable", () => {
  const root = { mode: S_IF.DIR };
  const getattr = () => root;
  const tmpfile = () => root;
  assertEquals(isReadOnly({ root, getattr }), true);
  assertEquals(isReadOnly({ root, getattr, tmpfile }), false);
});

Deno.test("locks carry their range, their owner and their kind", async () => {
  const { fs, send, file, open } = setUp();
  const fh = open();
  const lk = { start: 5n, end: 9n, type: 1, pid: 33 };
  const waits = send("SETLKW", file, { body: { fh, owner: 77n, lk } });
  assertEquals(fs.waiting[0]!.detail, {
    kind: "exclusive",
    start: 5n,
    end: 9n,
    owner: 77n,
    pid: 33,
    isFlock: false,
  });
  fs.waiting[0]!.resolve();
  await waits.answer;
  assertEquals(waits.reply.length, 16);
  const got = send("GETLK", file, { body: { fh, owner: 1n, lk } });
  assertEquals(decodeStruct("fuse_lk_out", got.reply.data).lk.pid, 7);
  const flock = { ...lk, type: 0 };
  send("SETLK", file, {
    body: { fh, owner: 1n, lk: flock, lk_flags: FUSE_LK.FLOCK },
  });
  // What ends a lock: close(2), and the last one of an open file.
  send("FLUSH", file, { body: { fh, lock_owner: 77n } });
  const flags = FUSE_RELEASE.FLOCK_UNLOCK;
  send("RELEASE", file, { body: { fh, release_flags: flags, lock_owner: 1n } });
  assertEquals(fs.done, [
    "open 2",
    "shared flock",
    "none range",
    "none flock",
    "release handle",
  ]);
});

Deno.test("ioctl passes bytes both ways", () => {
  const { fs, send, file } = setUp();
  const { reply } = send("IOCTL", file, {
    body: { cmd: 4711, in_size: 3, out_size: 3 },
    data: Uint8Array.of(1, 2, 3),
  });
  assertEquals([...reply.data.subarray(16, 19)], [3, 2, 1]);
  assertEquals(fs.done, ["ioctl 4711 1,2,3"]);
});

Deno.test("poll tells what is ready, and wakes those who wait", () => {
  const { fs, send, file, woken } = setUp();
  const once = send("POLL", file, { body: { kh: 3n, events: 5 } });
  assertEquals(decodeStruct("fuse_poll_out", once.reply.data).revents, 1);
  assertEquals(fs.wake, null);
  const flags = FUSE_POLL.SCHEDULE_NOTIFY;
  send("POLL", file, { body: { kh: 3n, events: 4, flags } });
  fs.wake!();
  assertEquals(woken, [3n]);
});

Deno.test("with writeback, files are opened for reading and never for appending", () => {
  const { fs, open } = setUp({ writeback: true });
  open(0o2001);
  open(0);
  assertEquals(fs.done, ["open 2", "open 0"]);
});

Deno.test("only what a file system has is requested of the kernel", () => {
  const plain = [...FILE_SYSTEM_FLAGS];
  assertEquals(initFlags(new MemoryFs()), plain);
  assertEquals(initFlags(new SlowFs(), { writeback: true }), [
    ...plain,
    "POSIX_LOCKS",
    "FLOCK_LOCKS",
    "HAS_IOCTL_DIR",
    "WRITEBACK_CACHE",
  ]);
});

Deno.test("what a file system leaves out is answered as programs expect", async () => {
  const fs = { root: { mode: 0o40755 }, getattr: (node: object) => node };
  const handler = new FileSystemHandler(fs as never);
  const outcome = async (name: OpcodeName, parts: RequestParts<"MKDIR">) => {
    const header = { unique: 2n, nodeid: 1n };
    const message = encodeRequest(name, { ...parts, header } as never, DIALECT);
    const memory = new Uint8Array(70_000);
    const { request, reply } = contiguousExchange(message.slice(), memory);
    assertEquals(request.validate(message.length, DIALECT), null);
    try {
      await handler.handle(request, reply);
      return errnoName(reply.errno);
    } catch (error) {
      return errnoName(errnoOf(error));
    }
  };
  const names = { names: ["a"] } as RequestParts<"MKDIR">;
  const two = { names: ["a", "b"] } as RequestParts<"MKDIR">;
  const expected: [OpcodeName, RequestParts<"MKDIR">, string][] = [
    ["LOOKUP", names, "ENOENT"],
    ["READLINK", {}, "EINVAL"],
    ["SETATTR", {}, "EROFS"],
    ["MKNOD", names, "EROFS"],
    ["MKDIR", names, "EROFS"],
    ["SYMLINK", two, "EROFS"],
    ["LINK", { ...names, body: { oldnodeid: 1n } } as never, "EROFS"],
    ["UNLINK", names, "EROFS"],
    ["RMDIR", names, "EROFS"],
    ["RENAME", { ...two, body: { newdir: 1n } } as never, "EROFS"],
    ["CREATE", names, "EROFS"],
    ["TMPFILE", names, "ENOSYS"],
    ["READ", {}, "EINVAL"],
    ["WRITE", {}, "EROFS"],
    ["FLUSH", {}, "ENOSYS"],
    ["FSYNC", {}, "ENOSYS"],
    ["FALLOCATE", {}, "ENOSYS"],
    ["LSEEK", {}, "ENOSYS"],
    ["GETXATTR", names, "ENOSYS"],
    ["SETXATTR", names, "EROFS"],
    ["LISTXATTR", {}, "ENOSYS"],
    ["REMOVEXATTR", names, "EROFS"],
    ["SETLK", {}, "ENOSYS"],
    ["GETLK", {}, "ENOSYS"],
    ["IOCTL", {}, "ENOTTY"],
    ["POLL", {}, "ENOSYS"],
    ["ACCESS", {}, "ENOSYS"],
    ["BMAP", {}, "ENOSYS"],
  ];
  for (const [name, parts, errno] of expected) {
    assertEquals([name, await outcome(name, parts)], [name, errno]);
  }
});

Deno.test("options that cannot be used are refused", () => {
  const fs = new SlowFs();
  const wrong: CacheOptions<object>[] = [
    { attrSeconds: -1 },
    { entrySeconds: NaN },
    { negativeSeconds: "1" as never },
    { timeoutMs: 0 },
    { timeoutMs: 1.5 },
    { cache: "all" as never },
  ];
  for (const options of wrong) {
    let thrown: unknown;
    try {
      new FileSystemHandler(fs, options);
    } catch (error) {
      thrown = error;
    }
    assert(thrown instanceof UserError, JSON.stringify(options));
    assert(thrown.message.includes(Object.keys(options)[0]!));
  }
});
