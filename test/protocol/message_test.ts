import { assertEquals, assertThrows } from "@std/assert";
import {
  decodeReply,
  decodeRequest,
  encodeReply,
  encodeRequest,
  FUSE_IOCTL,
  ProtocolError,
  ProtocolVersion,
} from "../../src/protocol/mod.ts";
import { unhex } from "./_hex.ts";

const READ = unhex(`
  50 00 00 00              # len 80
  0f 00 00 00              # opcode 15 READ
  f4 01 00 00 00 00 00 00  # unique 500
  01 00 00 00 00 00 00 00  # nodeid 1
  e8 03 00 00              # uid 1000
  64 00 00 00              # gid 100
  39 30 00 00              # pid 12345
  00 00 00 00              # total_extlen, padding
  07 00 00 00 00 00 00 00  # fh 7
  00 10 00 00 00 00 00 00  # offset 4096
  00 02 00 00              # size 512
  02 00 00 00              # read_flags LOCKOWNER
  ef be ad de 00 00 00 80  # lock_owner
  00 80 00 00              # flags
  00 00 00 00              # padding
`);

Deno.test("encodeRequest() and decodeRequest() agree with hand-written hex", () => {
  const read = decodeRequest(READ);
  assertEquals(read.name, "READ");
  if (read.name !== "READ") return;
  assertEquals(read.header.unique, 500n);
  assertEquals(read.header.pid, 12345);
  assertEquals(read.body.offset, 4096n);
  assertEquals(read.body.lock_owner, 0x8000_0000_dead_beefn);
  assertEquals(encodeRequest("READ", read), READ);
});

Deno.test("encodeRequest() lays out names, data and extensions", () => {
  const rename = encodeRequest("RENAME2", {
    body: { newdir: 3n, flags: 1 },
    names: ["old", "new"],
  });
  assertEquals(
    rename.subarray(40),
    unhex("0300000000000000 01000000 00000000 6f6c6400 6e657700"),
  );
  const symlink = encodeRequest("SYMLINK", {
    names: ["l", "to"],
    extensions: [{ groups: [10, 20] }],
  });
  assertEquals(
    symlink.subarray(36),
    unhex(`
      03 00 00 00              # total_extlen 3, padding
      6c 00                    # the link
      74 6f 00                 # its target
      18 00 00 00 20 00 00 00  # fuse_ext_header: 24 bytes, FUSE_EXT_GROUPS
      02 00 00 00 0a 00 00 00  # fuse_supp_groups: 2 groups, 10
      14 00 00 00 00 00 00 00  # 20, padding
    `),
  );
  const create = encodeRequest("CREATE", {
    names: ["f"],
    extensions: [{
      contexts: [{ name: "s.x", value: Uint8Array.of(1, 2, 3) }],
    }],
  });
  assertEquals(
    create.subarray(56),
    unhex(`
      66 00                    # the file
      18 00 00 00 01 00 00 00  # fuse_secctx_header: 24 bytes, one context
      03 00 00 00 00 00 00 00  # fuse_secctx: 3 bytes
      73 2e 78 00 01 02 03 00  # its name, its value, padding
    `),
  );
  const setxattr = encodeRequest("SETXATTR", {
    names: ["user.a"],
    data: Uint8Array.of(1, 2),
  });
  assertEquals(
    setxattr.subarray(40),
    unhex("02000000 00000000 757365722e6100 0102"),
  );
});

Deno.test("names that are not UTF-8 stay bytes, and BOMs are kept", () => {
  const raw = Uint8Array.of(0xff, 0xfe, 0x41);
  const lookup = decodeRequest(encodeRequest("LOOKUP", { names: [raw] }));
  assertEquals(lookup.names, [raw]);
  const bom = "\ufeffx";
  const other = decodeRequest(encodeRequest("LOOKUP", { names: [bom] }));
  assertEquals(other.names, [bom]);
});

Deno.test("bytes after a request that the table does not define are kept", () => {
  const bytes = encodeRequest("GETATTR", { rest: Uint8Array.of(1, 2, 3) });
  const getattr = decodeRequest(bytes);
  assertEquals(getattr.rest, Uint8Array.of(1, 2, 3));
  assertEquals(encodeRequest(getattr.name, getattr), bytes);
});

Deno.test("decodeRequest() throws what validate() returns", () => {
  const error = assertThrows(
    () => decodeRequest(READ.subarray(0, 79)),
    ProtocolError,
    "Cannot read READ: its header says 80 bytes, received 79",
  );
  assertEquals(error.kind, "wrong length");
});

Deno.test("identifiers above 2^53 and their flag bits are kept", () => {
  for (const bit of [0n, 1n, 32n, 52n, 53n, 62n, 63n]) {
    for (const base of [0n, 2n ** 53n + 1n, 0xfedc_ba98_7654_3210n]) {
      const id = base | 1n << bit;
      const read = decodeRequest(encodeRequest("READ", {
        header: { unique: id, nodeid: id },
        body: { fh: id, lock_owner: id },
      }));
      if (read.name !== "READ") throw new Error(read.name);
      assertEquals(
        [read.header.unique, read.header.nodeid],
        [id, id],
      );
      assertEquals([read.body.fh, read.body.lock_owner], [id, id]);
      const reply = decodeReply(
        "READ",
        encodeReply("READ", {
          header: { unique: id },
        }),
      );
      assertEquals(reply.header.unique, id);
    }
  }
});

Deno.test("encodeReply() lays out structs and what follows them", () => {
  const create = encodeReply("CREATE", {
    header: { unique: 4n },
    body: {
      fuse_entry_out: { nodeid: 9n, attr: { ino: 9n, mode: 0o100644 } },
      fuse_open_out: { fh: 3n },
    },
  });
  assertEquals(create.length, 16 + 128 + 16);
  const { body } = decodeReply("CREATE", create);
  assertEquals(body.fuse_entry_out?.attr.mode, 0o100644);
  assertEquals(body.fuse_open_out?.fh, 3n);
  const read = encodeReply("READ", { data: Uint8Array.of(1, 2, 3) });
  assertEquals(
    decodeReply("READ", read, { size: 4 }).data,
    Uint8Array.of(1, 2, 3),
  );
});

Deno.test("decodeReply() distinguishes a size from a value", () => {
  const size = encodeReply("GETXATTR", {
    body: { fuse_getxattr_out: { size: 12 } },
  });
  const asked = decodeReply("GETXATTR", size, { size: 0 });
  assertEquals(asked.body.fuse_getxattr_out?.size, 12);
  const value = decodeReply("GETXATTR", size, { size: 8 });
  assertEquals(value.body, {});
  assertEquals(value.data.length, 8);
});

Deno.test("decodeReply() reads the memory ranges of a retry of IOCTL", () => {
  const data = new Uint8Array(32);
  data[0] = 5;
  data[24] = 6;
  const reply = decodeReply(
    "IOCTL",
    encodeReply("IOCTL", {
      body: {
        fuse_ioctl_out: { flags: FUSE_IOCTL.RETRY, in_iovs: 1, out_iovs: 1 },
      },
      data,
    }),
    { size: 0 },
  );
  assertEquals(reply.iovecs, [{ base: 5n, len: 0n }, { base: 0n, len: 6n }]);
});

Deno.test("decodeReply() rejects what the kernel rejects", () => {
  const kind = (bytes: Uint8Array, size = 4) =>
    assertThrows(() => decodeReply("READ", bytes, { size }), ProtocolError)
      .kind;
  const reply = encodeReply("READ", { data: new Uint8Array(5) });
  assertEquals(kind(reply), "long body");
  assertEquals(kind(reply.subarray(0, 15)), "short header");
  assertEquals(kind(reply.subarray(0, 20)), "wrong length");
  const error = (n: number) => encodeReply("READ", { header: { error: n } });
  assertEquals(kind(error(1)), "bad error");
  assertEquals(kind(error(-512)), "bad error");
  assertEquals(decodeReply("READ", error(-511)).header.error, -511);
  const both = encodeReply("READ", { data: new Uint8Array(4) });
  new DataView(both.buffer).setInt32(4, -5, true);
  assertEquals(kind(both), "long body");
  assertEquals(
    assertThrows(
      () => decodeReply("GETATTR", reply),
      ProtocolError,
    ).kind,
    "short body",
  );
});

Deno.test("older versions have shorter structs in requests and replies", () => {
  const old = new ProtocolVersion({ minor: 8 });
  const attr = { mode: 0o100644, rdev: 3, blksize: 4096 };
  const reply = encodeReply(
    "GETATTR",
    { body: { fuse_attr_out: { attr } } },
    old,
  );
  assertEquals(reply.length, 16 + 96);
  const decoded = decodeReply("GETATTR", reply, { protocolVersion: old });
  assertEquals(decoded.body.fuse_attr_out?.attr.rdev, 3);
  assertEquals(decoded.body.fuse_attr_out?.attr.blksize, 0);
  assertEquals(encodeReply("LOOKUP", {}, old).length, 16 + 120);
  assertEquals(encodeReply("CREATE", {}, old).length, 16 + 120 + 16);
  const write = encodeRequest("WRITE", { data: Uint8Array.of(9) }, old);
  assertEquals(write.length, 40 + 24 + 1);
  assertEquals(decodeRequest(write, old).data, Uint8Array.of(9));
  const mknod = encodeRequest("MKNOD", { names: ["a"] }, old);
  assertEquals(mknod.length, 40 + 8 + 2);
  assertEquals(decodeRequest(mknod, old).names, ["a"]);
  const extended = new ProtocolVersion({ setxattrExt: true });
  const value = { names: ["user.a"], data: Uint8Array.of(1) };
  assertEquals(encodeRequest("SETXATTR", value).length, 40 + 8 + 8);
  const long = encodeRequest("SETXATTR", value, extended);
  assertEquals(long.length, 40 + 16 + 8);
  assertEquals(decodeRequest(long, extended).names, ["user.a"]);
});
