/**
 * The error number that a thrown value stands for. One table serves Deno's
 * errors, Node's, those of libraries such as memfs, and the browser's. They are
 * told apart by what they hold, because this floor knows no runtime.
 *
 * @module
 */
import { ERRNO, ERRNO_MAX, type ErrnoName } from "./errno.ts";

/** Causes that are followed, so that a circle of them ends. */
const CAUSES_MAX = 8;

/**
 * Error numbers by the `name` of errors that have no number: classes of
 * `Deno.errors`, and exceptions of the Web's (`DOMException`).
 */
const ERRNO_BY_NAME: Readonly<Record<string, ErrnoName>> = {
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
  Interrupted: "EINTR",
  IsADirectory: "EISDIR",
  NetworkUnreachable: "ENETUNREACH",
  NotADirectory: "ENOTDIR",
  NotCapable: "EACCES",
  NotConnected: "ENOTCONN",
  NotFound: "ENOENT",
  NotSupported: "EOPNOTSUPP",
  PermissionDenied: "EACCES",
  TimedOut: "ETIMEDOUT",
  WouldBlock: "EAGAIN",
  // A client that is interrupted expects EINTR, signal(7).
  AbortError: "EINTR",
  NoModificationAllowedError: "EROFS",
  NotAllowedError: "EACCES",
  NotFoundError: "ENOENT",
  NotSupportedError: "EOPNOTSUPP",
  QuotaExceededError: "EDQUOT",
  SecurityError: "EACCES",
  TimeoutError: "ETIMEDOUT",
};

/** What may tell the error number of an error. */
interface ErrorParts {
  readonly code?: unknown;
  readonly errno?: unknown;
  readonly name?: unknown;
  readonly cause?: unknown;
}

/**
 * The error number that a thrown value stands for, by the first of these that
 * it has:
 *
 * - `code`, the name of an error number such as `"ENOENT"`: Deno, Node;
 * - `errno`, a number from 1 to 511, its negative or its digits: this library,
 *   Node, memfs;
 * - `name`, that of a class of `Deno.errors` or of a `DOMException`;
 * - `cause`, an error that stands for a number.
 *
 * @category Errors
 * @param error Any thrown value.
 * @returns `null` if it stands for none: it is a defect then, not an answer.
 */
export function knownErrnoOf(error: unknown): number | null {
  try {
    let parts = error;
    for (let depth = 0; depth < CAUSES_MAX && isObject(parts); depth++) {
      const errno = ownErrno(parts);
      if (errno !== null) return errno;
      parts = parts.cause;
    }
  } catch {
    // A getter or proxy of the thrown value has thrown itself.
  }
  return null;
}

/**
 * The error number of a thrown value as {@linkcode knownErrnoOf}, or EIO if it
 * stands for none.
 *
 * @category Errors
 * @param error Any thrown value.
 */
export function errnoOf(error: unknown): number {
  return knownErrnoOf(error) ?? ERRNO.EIO;
}

function isObject(value: unknown): value is ErrorParts {
  return typeof value === "object" && value !== null ||
    typeof value === "function";
}

/** The error number of one error, without its causes. */
function ownErrno({ code, errno, name }: ErrorParts): number | null {
  // The name comes first: numbers differ between platforms, such as WASI.
  return byKey(ERRNO, code) ?? checked(errno) ??
    byKey(ERRNO, byKey(ERRNO_BY_NAME, name));
}

function byKey<T>(table: Readonly<Record<string, T>>, key: unknown): T | null {
  return typeof key === "string" && Object.hasOwn(table, key)
    ? table[key]!
    : null;
}

/** The positive error number that `errno` holds, if a reply can carry it. */
function checked(errno: unknown): number | null {
  if (typeof errno === "string" && !/^-?\d+$/.test(errno)) return null;
  if (typeof errno !== "number" && typeof errno !== "string") return null;
  const number = Math.abs(Number(errno));
  return Number.isInteger(number) && number > 0 && number <= ERRNO_MAX
    ? number
    : null;
}
