import { assert, assertEquals } from "@std/assert";
import operations from "../../docs/OPERATIONS.md" with { type: "text" };
import source from "../../src/filesystem/file_system.ts" with { type: "text" };
import { ERRNO, errnoName } from "../../src/base/errno.ts";
import { knownErrnoOf } from "../../src/base/errno_of.ts";
import { O, S_IF } from "../../src/base/file_flags.ts";
import type { FileSystem } from "../../src/filesystem/file_system.ts";
import { FileSystemHandler } from "../../src/filesystem/file_system_handler.ts";
import {
  contiguousExchange,
  encodeRequest,
  type OpcodeName,
  OPCODES,
  ProtocolVersion,
} from "../../src/protocol/mod.ts";
import type { RequestParts } from "../../src/protocol/message.ts";

interface Row {
  readonly method: string;
  readonly requests: readonly string[];
  readonly errors: string;
  readonly leftOut: string;
}

/** The rows of the page's table. */
const ROWS: readonly Row[] = operations.split("\n")
  .filter((line) => line.startsWith("| `"))
  .map((line) => {
    const [, method = "", requests = "", , errors = "", leftOut = ""] = line
      .split("|").map((cell) => cell.trim());
    return {
      method: method.replaceAll("`", ""),
      requests: requests === "none" ? [] : requests.split(", "),
      errors,
      leftOut,
    };
  });

/** Names of errors in a cell. */
function errorsIn(text: string): string[] {
  return text.match(/\bE[A-Z0-9]{3,}\b/g) ?? [];
}

Deno.test("docs/OPERATIONS.md has every method of FileSystem, in its order", () => {
  const methods = [...source.matchAll(/^ {2}(\w+)\??\(/gm)].map(([, name]) =>
    name
  );
  assertEquals(ROWS.map(({ method }) => method), methods);
  assert(methods.length > 30);
});

Deno.test("docs/OPERATIONS.md names requests and errors that there are", () => {
  for (const { requests, errors, leftOut } of ROWS) {
    for (const name of requests) assert(Object.hasOwn(OPCODES, name), name);
    for (const name of [...errorsIn(errors), ...errorsIn(leftOut)]) {
      assert(Object.hasOwn(ERRNO, name), name);
    }
  }
});

/** What a request is sent with, besides a node; one that has no row: nothing. */
const PARTS: Readonly<Record<string, RequestParts<OpcodeName>>> = {
  LOOKUP: { names: ["x"] },
  CREATE: { names: ["x"] },
  TMPFILE: { names: ["x"] },
  MKDIR: { names: ["x"] },
  MKNOD: { names: ["x"] },
  SYMLINK: { names: ["x", "y"] },
  LINK: { names: ["x"], body: { oldnodeid: 1n } },
  UNLINK: { names: ["x"] },
  RMDIR: { names: ["x"] },
  RENAME: { names: ["x", "y"], body: { newdir: 1n } },
  OPEN: { body: { flags: O.WRONLY } },
  GETXATTR: { names: ["user.x"] },
  SETXATTR: { names: ["user.x"] },
  REMOVEXATTR: { names: ["user.x"] },
};

/** What the kernel makes of ENOSYS, which it remembers. */
const UNSUPPORTED: ReadonlySet<string> = new Set([
  "TMPFILE",
  "FALLOCATE",
  "GETXATTR",
  "SETXATTR",
  "LISTXATTR",
  "REMOVEXATTR",
]);

/** The error that a program gets of a request to a file system. */
function errorOf(fs: FileSystem<object>, name: OpcodeName): string {
  const version = new ProtocolVersion();
  const handler = new FileSystemHandler(fs);
  const send = (name: OpcodeName, parts: RequestParts<OpcodeName>) => {
    const header = { unique: 2n, nodeid: 1n, uid: 0, gid: 0, pid: 1 };
    const message = encodeRequest(name, { ...parts, header }, version);
    const { request, reply } = contiguousExchange(
      message.slice(),
      new Uint8Array(8192),
    );
    assertEquals(request.validate(message.length, version), null, name);
    handler.handle(request, reply);
    return reply;
  };
  try {
    let parts = PARTS[name] ?? {};
    if (name === "READDIR") {
      const { body } = send("OPENDIR", {});
      parts = { body: { fh: body.getBigUint64(0, true), size: 4096 } };
    }
    const { errno } = send(name, parts);
    if (errno === ERRNO.ENOSYS && UNSUPPORTED.has(name)) return "EOPNOTSUPP";
    return errno === 0 ? "none" : errnoName(errno);
  } catch (error) {
    return errnoName(knownErrnoOf(error)!);
  }
}

Deno.test("what docs/OPERATIONS.md says of methods that are left out is so", () => {
  let tried = 0;
  for (const { method, requests, leftOut } of ROWS) {
    if (!/^E[A-Z]/.test(leftOut)) continue;
    const root = { mode: S_IF.DIR | 0o755 };
    const changing = method === "setattr"
      ? { unlink: () => {} }
      : { setattr: () => {} };
    const fs = { root, getattr: () => root, ...changing };
    const name = method === "write" ? "OPEN" : requests[0] as OpcodeName;
    assertEquals(errorOf(fs, name), errorsIn(leftOut)[0], method);
    tried++;
  }
  assert(tried >= 17, `only ${tried} methods were tried`);
});
