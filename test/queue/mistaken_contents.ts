/**
 * Mistakes in the contents of a reply, which the kernel would answer with EIO,
 * or worse, pass on to programs.
 *
 * @module
 */
import { S_IF } from "../../src/base/file_flags.ts";
import { encodeStruct } from "../../src/protocol/codec.ts";
import { DirentWriter } from "../../src/protocol/dirent.ts";
import type { Encodable } from "../../src/protocol/types.ts";
import type { Mistake, WrongRequest } from "./mistake.ts";

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

/** All of them. */
export const MISTAKEN_CONTENTS: readonly Mistake[] = [
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
    name: "WRITE that counts more than its size",
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
