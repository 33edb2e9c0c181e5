import { assertEquals } from "@std/assert";
import { ERRNO, Errno, type ErrnoName } from "../../src/base/errno.ts";
import { errnoOf, knownErrnoOf } from "../../src/base/errno_of.ts";

function check(thrown: unknown, name: ErrnoName): void {
  assertEquals(knownErrnoOf(thrown), ERRNO[name], String(thrown));
  assertEquals(errnoOf(thrown), ERRNO[name]);
}

/** An error as Node and memfs throw it. */
function systemError(code: string, errno?: unknown): Error {
  return Object.assign(new Error(`${code}: no`), { code, errno });
}

Deno.test("errnoOf() takes the number of this library's errors", () => {
  check(new Errno("ENOTEMPTY"), "ENOTEMPTY");
  check({ errno: 28 }, "ENOSPC");
  assertEquals(knownErrnoOf({ errno: 511 }), 511);
});

Deno.test("errnoOf() takes Node's and memfs's errors: a code, a negative number, or both", () => {
  check(systemError("ENOENT", -2), "ENOENT");
  check(systemError("ENOTEMPTY"), "ENOTEMPTY");
  check({ errno: -2 }, "ENOENT");
  check({ errno: "-17" }, "EEXIST");
  check({ errno: "17" }, "EEXIST");
  // WebAssembly's numbers differ: the name decides.
  check(systemError("ENOENT", 44), "ENOENT");
});

/** The error number of each class of `Deno.errors`; `null` for a defect. */
const DENO_ERRORS: Record<keyof typeof Deno.errors, ErrnoName | null> = {
  AddrInUse: "EADDRINUSE",
  AddrNotAvailable: "EADDRNOTAVAIL",
  AlreadyExists: "EEXIST",
  BadResource: "EBADF",
  BrokenPipe: "EPIPE",
  Busy: "EBUSY",
  ConnectionAborted: "ECONNABORTED",
  ConnectionRefused: "ECONNREFUSED",
  ConnectionReset: "ECONNRESET",
  FilesystemLoop: "ELOOP",
  Http: null,
  Interrupted: "EINTR",
  InvalidData: null,
  IsADirectory: "EISDIR",
  NetworkUnreachable: "ENETUNREACH",
  NotADirectory: "ENOTDIR",
  NotCapable: "EACCES",
  NotConnected: "ENOTCONN",
  NotFound: "ENOENT",
  NotSupported: "EOPNOTSUPP",
  PermissionDenied: "EACCES",
  TimedOut: "ETIMEDOUT",
  UnexpectedEof: null,
  WouldBlock: "EAGAIN",
  WriteZero: null,
};

Deno.test("errnoOf() knows every class of Deno.errors", () => {
  for (const [name, Class] of Object.entries(Deno.errors)) {
    const expected = DENO_ERRORS[name as keyof typeof Deno.errors];
    const thrown = new Class("no");
    if (expected !== null) check(thrown, expected);
    else assertEquals(knownErrnoOf(thrown), null, name);
  }
  assertEquals(
    Object.keys(DENO_ERRORS).sort(),
    Object.keys(Deno.errors).sort(),
  );
});

Deno.test("errnoOf() prefers the code of an error of Deno over its class", () => {
  const refused = Object.assign(new Deno.errors.PermissionDenied("no"), {
    code: "EPERM",
  });
  check(refused, "EPERM");
});

Deno.test("errnoOf() takes the Web's exceptions", () => {
  check(new DOMException("no", "AbortError"), "EINTR");
  check(AbortSignal.abort().reason, "EINTR");
  check(new DOMException("no", "TimeoutError"), "ETIMEDOUT");
  check(new DOMException("no", "NotFoundError"), "ENOENT");
  check(new DOMException("no", "QuotaExceededError"), "EDQUOT");
  // Its `code` is a number of the Web's own: 25.
  assertEquals(knownErrnoOf(new DOMException("no", "DataCloneError")), null);
});

Deno.test("errnoOf() follows causes, and ends if they are a circle", () => {
  const cause = systemError("EROFS");
  check(new Error("a", { cause: new TypeError("b", { cause }) }), "EROFS");
  check(
    new Error("a", { cause: new Deno.errors.NotADirectory("b") }),
    "ENOTDIR",
  );
  const circle: { cause?: unknown } = {};
  circle.cause = circle;
  assertEquals(knownErrnoOf(circle), null);
});

Deno.test("errnoOf() is EIO for everything else, and the value is a defect", () => {
  const values = [
    new TypeError("x is not a function"),
    new Error("no"),
    null,
    undefined,
    "ENOENT",
    2,
    Symbol("no"),
    () => {},
    ...[0, -0, NaN, 512, 5000, 2.5, Infinity, 2n, "", "0x2", "2 ", {}, []]
      .map((errno) => ({ errno })),
    { code: 2 },
    { code: "ERR_INVALID_ARG_TYPE" },
    { code: "toString" },
    { name: "constructor" },
    {
      get errno() {
        throw new Error("a getter of its own");
      },
    },
  ];
  for (const value of values) {
    assertEquals(knownErrnoOf(value), null, String(value));
    assertEquals(errnoOf(value), ERRNO.EIO);
  }
});
