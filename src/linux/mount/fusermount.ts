/**
 * fusermount3 of libfuse: the setuid program that mounts for ordinary users.
 *
 * It sends the descriptor of the mounted connection through a socket whose
 * number it finds in `_FUSE_COMMFD`.
 *
 * @module
 */

import { findExecutable } from "../syscall/process.ts";
import { ADVICE_ON_CONTAINERS } from "../fuse/fuse_device.ts";
import { receiveDescriptor, socketPair } from "../socket/socket.ts";
import { pointerOf } from "../syscall/ffi_values.ts";
import { POLL, waitForEvents } from "../syscall/poll.ts";
import { readText } from "../syscall/text_file.ts";
import { ERRNO } from "../../base/errno.ts";
import { type Child, startChild } from "../syscall/child_process.ts";
import {
  closeDescriptor,
  OPEN,
  openDescriptor,
} from "../syscall/descriptor.ts";
import { errno, libc } from "../syscall/libc.ts";
import { SystemError } from "../syscall/system_error.ts";

/** Where the connection's descriptor is to be sent, in the child. */
const COMMFD = 3;

const CONFIGURATION = "/etc/fuse.conf";

// Far more than it needs; its mount point may lie on a server that hangs.
const PATIENCE_MS = 10_000;
const END_MS = 2000;
const LONGEST_TEXT = 4096;

/**
 * Finds fusermount3, or its older name, in `$PATH`.
 *
 * @throws {SystemError} ENOENT.
 */
export function findFusermount(): string {
  const found = findExecutable("fusermount3") ?? findExecutable("fusermount");
  if (found !== null) return found;
  throw new SystemError({
    call: "posix_spawn",
    action: "mount without root",
    errno: ERRNO.ENOENT,
    reason: "fusermount3 is not installed",
    advice: "install the package fuse3, or run as root",
  });
}

/** Whether fusermount3 lets users who are not root use `allow_other`. */
export function usersMayAllowOther(): boolean {
  try {
    const lines = readText(CONFIGURATION).split("\n");
    return lines.some((line) => line.trim() === "user_allow_other");
  } catch (error) {
    if (error instanceof SystemError) return false;
    throw error;
  }
}

/**
 * Has fusermount3 mount a new connection.
 *
 * @param path The mount point, absolute.
 * @param options Mount options, such as `allow_other`; fsname as
 * {@linkcode escapeOption} makes it.
 * @returns The connection's descriptor: blocking, close-on-exec.
 * @throws {SystemError} ENOENT without fusermount3; ETIMEDOUT; and what it
 * tells on standard error, with the nearest errno.
 */
export function fusermount(path: string, options: readonly string[]): number {
  const program = findFusermount();
  const [ours, theirs] = socketPair();
  const args = ["-o", options.join(","), "--", path];
  const helper = start(program, args, theirs, path);
  try {
    const fd = waitForEvents(ours, POLL.IN, PATIENCE_MS)
      ? receiveDescriptor(ours)
      : null;
    if (fd === null) throw helper.failure(`mount on ${path}`);
    helper.child.wait(END_MS);
    return fd;
  } finally {
    closeDescriptor(ours);
    helper.end();
  }
}

/**
 * Has fusermount3 unmount what lies at a path, though it be in use. It takes
 * down the topmost mount there if that is a FUSE one of this user's.
 *
 * @param path The mount point, absolute.
 * @throws {SystemError} ENOENT without fusermount3; ETIMEDOUT; and what it
 * tells on standard error, with the nearest errno.
 */
export function fusermountUnmount(path: string): void {
  const helper = start(findFusermount(), ["-u", "-z", "--", path], null, path);
  const ended = helper.child.wait(PATIENCE_MS);
  try {
    if (ended?.code !== 0) throw helper.failure(`unmount ${path}`);
  } finally {
    helper.end();
  }
}

/**
 * A value of a mount option: fusermount3 takes `\,` and `\\` as they are meant.
 *
 * @param value Any text.
 */
export function escapeOption(value: string): string {
  return value.replace(/[\\,]/g, "\\$&");
}

interface Helper {
  readonly child: Child;
  /** Why it failed, once it has closed its socket or ended, or is late. */
  failure(action: string): SystemError;
  /** Lets go of it; kills it if it is late. */
  end(): void;
}

function start(
  program: string,
  args: readonly string[],
  socket: number | null,
  path: string,
): Helper {
  const errors = socketPair();
  const nothing = openDescriptor("/dev/null", OPEN.RDWR);
  let child: Child;
  try {
    child = startChild({
      path: program,
      args: [program, ...args],
      // Its messages are looked into below. Nothing else is its business.
      environment: ["LC_ALL=C", `_FUSE_COMMFD=${COMMFD}`],
      descriptors: [
        nothing,
        nothing,
        errors[1],
        ...socket === null ? [] : [socket],
      ],
    });
  } catch (error) {
    closeDescriptor(errors[0]);
    throw error;
  } finally {
    closeDescriptor(nothing);
    closeDescriptor(errors[1]);
    if (socket !== null) closeDescriptor(socket);
  }
  return {
    child,
    failure: (action) => failureOf(child, readErrors(errors[0]), action, path),
    end() {
      closeDescriptor(errors[0]);
      child.kill();
    },
  };
}

function readErrors(fd: number): string {
  const bytes = new Uint8Array(new ArrayBuffer(LONGEST_TEXT));
  let length = 0;
  while (length < bytes.byteLength && waitForEvents(fd, POLL.IN, END_MS)) {
    const rest = bytes.subarray(length);
    const count = libc().read(fd, pointerOf(rest), BigInt(rest.byteLength));
    if (count < 0 && errno() === ERRNO.EINTR) continue;
    if (count <= 0) break;
    length += count;
  }
  return new TextDecoder().decode(bytes.subarray(0, length));
}

function failureOf(
  child: Child,
  text: string,
  action: string,
  path: string,
): SystemError {
  const ended = child.wait(END_MS);
  const call = "fusermount3";
  if (ended === null) {
    return new SystemError({
      call,
      action,
      errno: ERRNO.ETIMEDOUT,
      reason: "fusermount3 does not come to an end",
      advice: "see whether a file system on the way to the mount point hangs",
    });
  }
  // The last line is the reason; those before it are warnings.
  const line = text.trim().split("\n").at(-1)!.replace(/^[^ ]*: /, "");
  const known = KNOWN.find(([pattern]) => pattern.test(line));
  return new SystemError({
    call,
    action,
    errno: known?.[1] ?? ERRNO.EIO,
    reason: line === ""
      ? `fusermount3 ended with ${ended.code ?? `signal ${ended.signal}`}`
      : line,
    advice: known?.[2].replace("PATH", path),
  });
}

// Messages of libfuse's util/fusermount.c: errno and advice.
const KNOWN: readonly (readonly [RegExp, number, string])[] = [
  [
    /'?user_allow_other'? is set/,
    ERRNO.EPERM,
    "write a line 'user_allow_other' to /etc/fuse.conf, or leave --allow-other at auto or off",
  ],
  [
    /fuse device not found/,
    ERRNO.ENODEV,
    `load the kernel's module with 'modprobe fuse'; ${ADVICE_ON_CONTAINERS}`,
  ],
  [
    /^failed to open \/dev\/fuse: /,
    ERRNO.EACCES,
    `as root: chmod 0666 /dev/fuse; ${ADVICE_ON_CONTAINERS}`,
  ],
  [
    /^too many FUSE filesystems/,
    ERRNO.EBUSY,
    "unmount some of them, or set mount_max = N in /etc/fuse.conf",
  ],
  [
    /^mounting over filesystem type/,
    ERRNO.EPERM,
    "choose a mount point on an ordinary file system",
  ],
  [
    /: Read-only file system$/,
    ERRNO.EROFS,
    "choose a mount point that you may write to",
  ],
  [
    /^failed to open .*: Permission denied$|no write access|not owned by user/,
    ERRNO.EACCES,
    "the mount point has to be writable for you: 'chmod u+w PATH', or choose another",
  ],
  [
    /^mount failed: Operation not permitted$/,
    ERRNO.EPERM,
    `fusermount3 has to be setuid root, and no_new_privs off; ${ADVICE_ON_CONTAINERS}`,
  ],
  [/: Permission denied$/, ERRNO.EACCES, "choose another mount point"],
];
