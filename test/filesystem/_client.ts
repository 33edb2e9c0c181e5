/**
 * A client that acts as the kernel for a handler: it encodes requests, decodes
 * replies, and counts lookups as the kernel does.
 *
 * @module
 */
import { assertEquals } from "@std/assert";
import {
  contiguousExchange,
  type Decoded,
  decodeStruct,
  type Encodable,
  errnoName,
  errnoOf,
  FATTR,
  type OpcodeName,
  ProtocolVersion,
  sizeOf,
} from "../../src/protocol/mod.ts";
import type { RequestHandler } from "../../mod.ts";
import { parseDirents, parseDirentsPlus } from "../../src/protocol/dirent.ts";
import {
  encodeRequest,
  type RequestParts,
} from "../../src/protocol/message.ts";
import { bytesOfName } from "../../src/protocol/text.ts";

const REPLY_SIZE = 128 * 1024;
const DIALECT = new ProtocolVersion();

/** Attributes of an inode. */
export type Attributes = Decoded<"fuse_attr">;

/** An inode that the client knows. */
export interface Found {
  readonly nodeid: bigint;
  readonly generation: bigint;
  readonly attr: Attributes;
}

/** An entry of a listing. */
export interface Listed {
  readonly name: string;
  readonly ino: bigint;
  /** The offset of the next entry. */
  readonly off: bigint;
  readonly type: number;
  /** The inode, from READDIRPLUS; null for `.` and `..`. */
  readonly entry: Found | null;
}

/** An error that a reply carried; its message is the error's name. */
export class Refused extends Error {}

/** Runs a call that must be refused; returns the name of its error. */
export function assertRefused(name: string, call: () => unknown): void {
  assertEquals(outcome(call), name);
}

/** The result of a call, or the name of its error. */
export function outcome<T>(call: () => T): T | string {
  try {
    return call();
  } catch (error) {
    if (error instanceof Refused) return error.message;
    throw error;
  }
}

/** The kernel's side of a connection to a handler that answers at once. */
export class Client {
  uid = 0;
  gid = 0;
  /** Lookup counts by nodeid, which must equal the handler's. */
  readonly lookups = new Map<bigint, bigint>();
  readonly #handler: RequestHandler;
  #unique = 0n;

  constructor(handler: RequestHandler) {
    this.#handler = handler;
  }

  /** Sends a request; returns the reply without its header. */
  call<N extends OpcodeName>(
    name: N,
    nodeid: bigint,
    parts: RequestParts<N> = {},
  ): Uint8Array {
    const { uid, gid } = this;
    const unique = this.#unique += 2n;
    const header = { unique, nodeid, uid, gid };
    const message = encodeRequest(name, { ...parts, header }, DIALECT);
    const incoming = new Uint8Array(message.length);
    incoming.set(message);
    const { request, reply } = contiguousExchange(
      incoming,
      new Uint8Array(REPLY_SIZE).fill(0xa5),
    );
    assertEquals(request.validate(message.length, DIALECT), null);
    try {
      this.#handler.handle(request, reply);
    } catch (error) {
      // As serve() does; any other exception is a defect.
      if (errnoOf(error) !== (error as { errno?: number }).errno) throw error;
      reply.error(errnoOf(error));
    }
    assertEquals(reply.filled, true, `${name} was not answered`);
    if (reply.errno !== 0) throw new Refused(errnoName(reply.errno));
    return reply.data.slice(0, Math.max(0, reply.length - 16));
  }

  lookup(nodeid: bigint, name: string): Found {
    return this.#found(this.call("LOOKUP", nodeid, named(name)));
  }

  getattr(nodeid: bigint): Attributes {
    return decodeStruct("fuse_attr_out", this.call("GETATTR", nodeid)).attr;
  }

  setattr(
    nodeid: bigint,
    flags: readonly (keyof typeof FATTR)[],
    fields: Encodable<"fuse_setattr_in"> = {},
  ): Attributes {
    const valid = flags.reduce((sum, flag) => sum | FATTR[flag], 0);
    const body = { ...fields, valid };
    const reply = this.call("SETATTR", nodeid, { body });
    return decodeStruct("fuse_attr_out", reply).attr;
  }

  mknod(parent: bigint, name: string, mode = 0o100644, rdev = 0): Found {
    const parts = { ...named(name), body: { mode, rdev } };
    return this.#found(this.call("MKNOD", parent, parts));
  }

  mkdir(parent: bigint, name: string, mode = 0o755): Found {
    const parts = { ...named(name), body: { mode } };
    return this.#found(this.call("MKDIR", parent, parts));
  }

  create(
    parent: bigint,
    name: string,
    flags = 0,
    opcode: "CREATE" | "TMPFILE" = "CREATE",
  ): Found {
    const body = { mode: 0o100600, flags };
    const reply = this.call(opcode, parent, { ...named(name), body });
    const size = sizeOf("fuse_entry_out") + sizeOf("fuse_open_out");
    assertEquals(reply.length, size);
    return this.#found(reply);
  }

  symlink(parent: bigint, name: string, target: string): Found {
    return this.#found(this.call("SYMLINK", parent, named(name, target)));
  }

  readlink(nodeid: bigint): string {
    return text(this.call("READLINK", nodeid));
  }

  link(nodeid: bigint, parent: bigint, name: string): Found {
    const parts = { ...named(name), body: { oldnodeid: nodeid } };
    return this.#found(this.call("LINK", parent, parts));
  }

  unlink(parent: bigint, name: string): void {
    this.call("UNLINK", parent, named(name));
  }

  rmdir(parent: bigint, name: string): void {
    this.call("RMDIR", parent, named(name));
  }

  rename(
    parent: bigint,
    name: string,
    newdir: bigint,
    newName: string,
    flags?: number,
  ): void {
    const names = named(name, newName);
    if (flags === undefined) {
      this.call("RENAME", parent, { ...names, body: { newdir } });
    } else {
      this.call("RENAME2", parent, { ...names, body: { newdir, flags } });
    }
  }

  read(nodeid: bigint, offset = 0, size = 65536): Uint8Array {
    const body = { offset: BigInt(offset), size };
    return this.call("READ", nodeid, { body });
  }

  write(
    nodeid: bigint,
    offset: number | bigint,
    data: string | Uint8Array,
    flags = 0,
  ): number {
    const reply = this.call("WRITE", nodeid, {
      body: { offset: BigInt(offset), write_flags: flags },
      data: typeof data === "string" ? bytesOf(data) : data,
    });
    return decodeStruct("fuse_write_out", reply).size;
  }

  open(nodeid: bigint, flags = 0): void {
    this.call("OPEN", nodeid, { body: { flags } });
  }

  opendir(nodeid: bigint): bigint {
    return decodeStruct("fuse_open_out", this.call("OPENDIR", nodeid)).fh;
  }

  releasedir(nodeid: bigint, fh: bigint): void {
    this.call("RELEASEDIR", nodeid, { body: { fh } });
  }

  /** One buffer of a listing. */
  readdir(
    nodeid: bigint,
    fh: bigint,
    offset: bigint,
    size = 4096,
    plus = true,
  ): Listed[] {
    const parts = { body: { fh, offset, size } };
    if (!plus) {
      return parseDirents(this.call("READDIR", nodeid, parts)).map((
        dirent,
      ) => ({
        ...dirent,
        name: text(bytesOfName(dirent.name)),
        entry: null,
      }));
    }
    const reply = this.call("READDIRPLUS", nodeid, parts);
    return parseDirentsPlus(reply).map((dirent) => ({
      ...dirent,
      name: text(bytesOfName(dirent.name)),
      entry: dirent.entry.nodeid === 0n ? null : this.#told(dirent.entry),
    }));
  }

  /** A whole listing. */
  list(nodeid: bigint, size = 4096, plus = true): Listed[] {
    const fh = this.opendir(nodeid);
    const all: Listed[] = [];
    for (;;) {
      const offset = all.at(-1)?.off ?? 0n;
      const some = this.readdir(nodeid, fh, offset, size, plus);
      if (some.length === 0) break;
      all.push(...some);
    }
    this.releasedir(nodeid, fh);
    return all;
  }

  setxattr(nodeid: bigint, name: string, value: string, flags = 0): void {
    const data = bytesOf(value);
    this.call("SETXATTR", nodeid, { ...named(name), body: { flags }, data });
  }

  getxattr(nodeid: bigint, name: string, size = 65536): string {
    const parts = { ...named(name), body: { size } };
    return valueOf(this.call("GETXATTR", nodeid, parts), size);
  }

  listxattr(nodeid: bigint, size = 65536): string {
    return valueOf(this.call("LISTXATTR", nodeid, { body: { size } }), size);
  }

  removexattr(nodeid: bigint, name: string): void {
    this.call("REMOVEXATTR", nodeid, named(name));
  }

  statfs(): Decoded<"fuse_kstatfs"> {
    return decodeStruct("fuse_statfs_out", this.call("STATFS", 1n)).st;
  }

  /** Forgets an inode, or all inodes. */
  forget(nodeid?: bigint): void {
    const items = [...this.lookups]
      .filter(([known]) => nodeid === undefined || known === nodeid)
      .map(([nodeid, nlookup]) => ({ nodeid, nlookup }));
    for (const { nodeid } of items) this.lookups.delete(nodeid);
    this.call("BATCH_FORGET", 0n, { items });
  }

  #found(reply: Uint8Array): Found {
    return this.#told(decodeStruct("fuse_entry_out", reply));
  }

  #told({ nodeid, generation, attr }: Decoded<"fuse_entry_out">): Found {
    assertEquals(attr.ino, nodeid);
    this.lookups.set(nodeid, (this.lookups.get(nodeid) ?? 0n) + 1n);
    return { nodeid, generation, attr };
  }
}

function named(...names: string[]): { names: Uint8Array[] } {
  return { names: names.map(bytesOf) };
}

/** A value, or its size if only that was requested. */
function valueOf(reply: Uint8Array, size: number): string {
  if (size > 0) return text(reply);
  return String(decodeStruct("fuse_getxattr_out", reply).size);
}

function bytesOf(data: string): Uint8Array {
  return Uint8Array.from(data, (character) => character.charCodeAt(0));
}

/** Text with one character per byte. */
export function text(bytes: Uint8Array): string {
  return Array.from(bytes, (byte) => String.fromCharCode(byte)).join("");
}
