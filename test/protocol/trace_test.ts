import { assertEquals } from "@std/assert";
import {
  contiguousExchange,
  encodeDirentsPlus,
  encodeNotification,
  encodeReply,
  encodeRequest,
  formatTrace,
  formatTraceJson,
  type OpcodeName,
  ProtocolVersion,
  type ReplyParts,
  type RequestParts,
  traceNotification,
  type TraceRecord,
  traceReplyBody,
  traceRequest,
} from "../../src/protocol/mod.ts";

function asked<N extends OpcodeName>(
  name: N,
  parts: RequestParts<N>,
): TraceRecord {
  const header = { unique: 500n, nodeid: 1n, ...parts.header };
  const bytes = encodeRequest(name, { ...parts, header });
  const { request } = contiguousExchange(bytes, new Uint8Array(16));
  assertEquals(request.validate(bytes.length, ProtocolVersion.NEWEST), null);
  return traceRequest(2, request);
}

function answered<N extends OpcodeName>(
  name: N,
  parts: ReplyParts<N>,
  request: RequestParts<N> = {},
): TraceRecord {
  const bytes = encodeReply(name, parts);
  const errno = -(parts.header?.error ?? 0);
  return traceReplyBody(asked(name, request), errno, bytes.subarray(16));
}

Deno.test("formatTrace() formats a request as one line", () => {
  assertEquals(
    formatTrace(asked("READ", { body: { offset: 4096n, size: 4096 } })),
    "q2 <- 0x1f4 READ fh=0 offset=4096 size=4096",
  );
  assertEquals(
    formatTrace(asked("WRITE", {
      body: { fh: 3n, write_flags: 3, flags: 0x8001 },
      data: new Uint8Array(16),
    })),
    "q2 <- 0x1f4 WRITE fh=3 offset=0 size=16 write_flags=CACHE|LOCKOWNER " +
      "flags=WRONLY|0x8000 16 B",
  );
  assertEquals(
    formatTrace(asked("CREATE", {
      header: { nodeid: 7n },
      body: { mode: 0o100644, umask: 0o22, flags: 0o102 },
      names: ['new "file"'],
      extensions: [
        { groups: [4, 24] },
        { contexts: [{ name: "security.selinux", value: Uint8Array.of(1) }] },
      ],
    })),
    "q2 <- 0x1f4 CREATE nodeid=7 flags=RDWR|CREAT mode=0100644 umask=022 " +
      'name="new \\"file\\"" groups=[4,24] contexts=["security.selinux"]',
  );
  assertEquals(
    formatTrace(asked("RENAME2", {
      body: { newdir: 1n, flags: 1 },
      names: ["a", "b"],
    })),
    'q2 <- 0x1f4 RENAME2 newdir=1 flags=1 name="a" name2="b"',
  );
  assertEquals(
    formatTrace(asked("SETXATTR", {
      names: ["user.a"],
      data: Uint8Array.of(1, 2, 3),
    })),
    'q2 <- 0x1f4 SETXATTR size=3 name="user.a" 3 B',
  );
  const items = Array.from({ length: 10 }, () => ({ nodeid: 5n, nlookup: 1n }));
  assertEquals(
    formatTrace(asked("BATCH_FORGET", { items: items.slice(0, 2) })),
    "q2 <- 0x1f4 BATCH_FORGET count=2 " +
      "items=[{nodeid=5 nlookup=1},{nodeid=5 nlookup=1}]",
  );
  assertEquals(
    formatTrace(asked("BATCH_FORGET", { items })).endsWith(",+2]"),
    true,
  );
});

Deno.test("formatTrace() names the flags of INIT", () => {
  assertEquals(
    formatTrace(asked("INIT", {
      body: {
        major: 7,
        minor: 45,
        flags: 0x4000_0001,
        flags2: 1 << 5,
      },
    })),
    "q2 <- 0x1f4 INIT major=7 minor=45 flags=ASYNC_READ|INIT_EXT " +
      "flags2=PASSTHROUGH",
  );
  assertEquals(
    formatTrace(answered("INIT", {
      body: { fuse_init_out: { major: 7, minor: 22, max_write: 65536 } },
    })),
    "q2 -> 0x1f4 INIT OK major=7 minor=22 max_write=65536",
  );
});

Deno.test("formatTrace() formats a reply as one line", () => {
  assertEquals(
    formatTrace(answered("READ", { data: new Uint8Array(4096) })),
    "q2 -> 0x1f4 READ OK 4096 B",
  );
  assertEquals(
    formatTrace(answered("LOOKUP", { header: { error: -2 } }, {
      names: ["x"],
    })),
    "q2 -> 0x1f4 LOOKUP ENOENT",
  );
  assertEquals(
    formatTrace(answered("LOOKUP", {
      body: {
        fuse_entry_out: {
          nodeid: 2n,
          attr: { ino: 2n, mode: 0o40755, flags: 1 },
        },
      },
    }, { names: ["x"] })),
    "q2 -> 0x1f4 LOOKUP OK nodeid=2 " +
      "attr={ino=2 mode=040755 flags=SUBMOUNT}",
  );
  assertEquals(
    formatTrace(answered("OPEN", {
      body: { fuse_open_out: { open_flags: 65 } },
    })),
    "q2 -> 0x1f4 OPEN OK fh=0 open_flags=DIRECT_IO|PARALLEL_DIRECT_WRITES",
  );
  assertEquals(
    formatTrace(answered("READLINK", { data: new TextEncoder().encode("to") })),
    'q2 -> 0x1f4 READLINK OK target="to"',
  );
  const entry = { ino: 1n, off: 1n, type: 4, name: "." };
  assertEquals(
    formatTrace(answered("READDIR", {
      entries: [entry, { ...entry, name: ".." }],
    })),
    "q2 -> 0x1f4 READDIR OK 2 entries 64 B",
  );
  assertEquals(
    formatTrace(answered("READDIRPLUS", {
      data: encodeDirentsPlus([{ ...entry, entry: {} }]),
    })),
    "q2 -> 0x1f4 READDIRPLUS OK 1 entries 160 B",
  );
  assertEquals(
    formatTrace(answered("GETXATTR", {
      body: { fuse_getxattr_out: { size: 9 } },
    }, { names: ["user.a"] })),
    "q2 -> 0x1f4 GETXATTR OK size=9",
  );
});

Deno.test("formatTrace() formats notifications", () => {
  const line = (message: Uint8Array) =>
    formatTrace(traceNotification(0, message));
  assertEquals(
    line(encodeNotification("INVAL_ENTRY", {
      body: { parent: 1n, flags: 1 },
      name: "a",
    })),
    "q0 -> 0x0 NOTIFY_INVAL_ENTRY parent=1 namelen=1 flags=EXPIRE_ONLY " +
      'name="a"',
  );
  assertEquals(
    line(encodeNotification("PRUNE", { nodeids: [2n ** 63n, 3n] })),
    "q0 -> 0x0 NOTIFY_PRUNE count=2 nodeids=[9223372036854775808,3]",
  );
  assertEquals(
    line(encodeNotification("RESEND")),
    "q0 -> 0x0 NOTIFY_RESEND",
  );
  assertEquals(
    line(encodeNotification("STORE").subarray(0, 20)),
    "q0 -> 0x0 NOTIFY code=4 " +
      'fault="Cannot read notification STORE: wrong length, expected 40 ' +
      'bytes, received 20" 20 B',
  );
});

Deno.test("formatTraceJson() keeps all bits of identifiers and names flags", () => {
  const record = asked("OPEN", {
    header: { unique: 2n ** 63n + 1n },
    body: { flags: 2 },
  });
  assertEquals(JSON.parse(formatTraceJson(record)), {
    event: "message",
    name: "OPEN",
    queue: 2,
    direction: "<-",
    unique: "9223372036854775809",
    opcode: 14,
    fields: { nodeid: "1", flags: 2, open_flags: 0 },
    bytes: 0,
    flagNames: { flags: ["RDWR"], open_flags: [] },
  });
  const told = traceNotification(0, encodeNotification("INC_EPOCH"));
  assertEquals(JSON.parse(formatTraceJson(told)).name, "NOTIFY_INC_EPOCH");
});
