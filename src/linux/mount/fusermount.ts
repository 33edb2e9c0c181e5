/**
 * Running fusermount3 of libfuse: the setuid program that mounts for ordinary
 * users. It sends the descriptor of the mounted connection over a socket, whose
 * descriptor is in `_FUSE_COMMFD`.
 *
 * @module
 */

import { POLL } from "../../base/file_flags.ts";
import { ERRNO } from "../../base/errno.ts";
import { decodeName } from "../../base/name_bytes.ts";
import { ADVICE_ON_CONTAINERS } from "../fuse/fuse_device.ts";
import { receiveDescriptor, socketPair } from "../socket/socket.ts";
import {
  type Child,
  type ChildEnd,
  startChild,
} from "../syscall/child_process.ts";
import {
  closeDescriptor,
  OPEN,
  openDescriptor,
} from "../syscall/descriptor.ts";
import { pointerOf } from "../syscall/ffi_values.ts";
import { errno, libc } from "../syscall/libc.ts";
import { waitForEvents } from "../syscall/poll.ts";
import { findExecutable } from "../syscall/process.ts";
import { SystemError } from "../syscall/system_error.ts";
import { readText } from "../syscall/text_file.ts";

/** The socket's descriptor in the child process. */
const COMMFD = 3;

const CONFIGURATION = "/etc/fuse.conf";

// fusermount3 may hang if the mount point is on a file system whose server
// hangs.
const RUN_LIMIT_MS = 10_000;
const END_LIMIT_MS = 2000;
const CHECK_AGAIN_MS = 2;
const OUTPUT_MAX = 4096;

/**
 * Finds fusermount3, or fusermount of older versions, in `$PATH`.
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

/** Whether fusermount3 permits `allow_other` to users other than root. */
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
 * Mounts a new connection by fusermount3.
 *
 * @param path The absolute path of the mount point.
 * @param options Mount options, such as `allow_other`. Values are escaped by
 * {@linkcode escapeOption}.
 * @returns A descriptor of the connection, blocking and close-on-exec.
 * @throws {SystemError} ENOENT without fusermount3; ETIMEDOUT; otherwise with its
 * message on standard error and the nearest errno.
 */
export function fusermount(path: string, options: readonly string[]): number {
  const program = findFusermount();
  const [ours, theirs] = socketPair();
  const args = ["-o", options.join(","), "--", path];
  const helper = start(program, args, theirs, path);
  try {
    const fd = waitForEvents(ours, POLL.IN, RUN_LIMIT_MS)
      ? receiveDescriptor(ours)
      : null;
    if (fd === null) throw helper.failure(`mount on ${path}`);
    helper.child.wait(END_LIMIT_MS);
    return fd;
  } finally {
    closeDescriptor(ours);
    helper.end();
  }
}

/**
 * Unmounts the topmost mount at a path by fusermount3, even if it is in use. It
 * must be a FUSE mount of this user.
 *
 * @param path The absolute path of the mount point.
 * @throws {SystemError} ENOENT without fusermount3; ETIMEDOUT; otherwise with its
 * message on standard error and the nearest errno.
 */
export function fusermountUnmount(path: string): void {
  const helper = start(findFusermount(), ["-u", "-z", "--", path], null, path);
  const ended = helper.child.wait(RUN_LIMIT_MS);
  try {
    if (ended?.code !== 0) throw helper.failure(`unmount ${path}`);
  } finally {
    helper.end();
  }
}

/**
 * Unmounts the topmost mount at a path by fusermount3 unless it is in use. The
 * calling thread goes on meanwhile: fusermount3 may access the mount.
 *
 * @param path The absolute path of the mount point.
 * @throws {SystemError} EBUSY if it is in use; as {@linkcode fusermountUnmount}.
 */
export async function fusermountUnmountUnused(path: string): Promise<void> {
  const helper = start(findFusermount(), ["-u", "--", path], null, path);
  const deadline = performance.now() + RUN_LIMIT_MS;
  try {
    let ended = helper.child.wait(0);
    while (ended === null && performance.now() < deadline) {
      await new Promise((resolve) => setTimeout(resolve, CHECK_AGAIN_MS));
      ended = helper.child.wait(0);
    }
    if (ended?.code !== 0) throw helper.failure(`unmount ${path}`);
  } finally {
    helper.end();
  }
}

/**
 * Escapes the value of a mount option: fusermount3 reads `\,` as a comma and `\\`
 * as a backslash.
 *
 * @param value Any text.
 */
export function escapeOption(value: string): string {
  return value.replace(/[\\,]/g, "\\$&");
}

interface Helper {
  readonly child: Child;
  /** Why it failed; to be called once it has ended or its time is up. */
  failure(action: string): SystemError;
  /** Releases its resources, and kills it if it is still running. */
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
      // In English, because its messages are matched below.
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
  const bytes = new Uint8Array(new ArrayBuffer(OUTPUT_MAX));
  let length = 0;
  while (
    length < bytes.byteLength && waitForEvents(fd, POLL.IN, END_LIMIT_MS)
  ) {
    const rest = bytes.subarray(length);
    const count = libc().read(fd, pointerOf(rest), BigInt(rest.byteLength));
    if (count < 0 && errno() === ERRNO.EINTR) continue;
    if (count <= 0) break;
    length += count;
  }
  return decodeName(bytes.subarray(0, length));
}

function failureOf(
  child: Child,
  text: string,
  action: string,
  path: string,
): SystemError {
  const ended = child.wait(END_LIMIT_MS);
  const call = "fusermount3";
  if (ended === null) {
    return new SystemError({
      call,
      action,
      errno: ERRNO.ETIMEDOUT,
      reason: "fusermount3 hangs",
      advice:
        "check whether a file system on the path of the mount point hangs",
    });
  }
  const line = reasonOf(text.trim());
  const known = KNOWN.find(([pattern]) => pattern.test(line));
  return new SystemError({
    call,
    action,
    errno: known?.[1] ?? ERRNO.EIO,
    reason: line === "" ? `fusermount3 ended with ${exitStatus(ended)}` : line,
    advice: known?.[2].replace("PATH", path),
  });
}

/**
 * The last message is the reason, others are warnings. It has several lines if
 * the mount point has a newline in its name.
 */
function reasonOf(text: string): string {
  const last = text.split(/^(?=\S*fusermount3?: )/m).at(-1)!;
  return /^\S*fusermount3?: (.*)$/s.exec(last)?.[1] ??
    text.split("\n").at(-1)!.replace(/^[^ ]*: /, "");
}

function exitStatus({ code, signal }: ChildEnd): string {
  if (signal !== null) return `signal ${signal}`;
  return code === null ? "an unknown exit code" : `exit code ${code}`;
}

// Messages of libfuse's util/fusermount.c: errno and advice.
const KNOWN: readonly (readonly [RegExp, number, string])[] = [
  [
    /'?user_allow_other'? is set/,
    ERRNO.EPERM,
    "add a line 'user_allow_other' to /etc/fuse.conf, or use --allow-other=auto",
  ],
  [
    /fuse device not found/,
    ERRNO.ENODEV,
    `load the kernel's module with 'modprobe fuse'; ${ADVICE_ON_CONTAINERS}`,
  ],
  [
    /^failed to open \/dev\/fuse: /,
    ERRNO.EACCES,
    `as root, run 'chmod 0666 /dev/fuse'; ${ADVICE_ON_CONTAINERS}`,
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
    "make the mount point writable with 'chmod u+w PATH', or choose another",
  ],
  [
    /^mount failed: Operation not permitted$/,
    ERRNO.EPERM,
    `fusermount3 must be setuid root, and no_new_privs must be off; ${ADVICE_ON_CONTAINERS}`,
  ],
  [
    /: Device or resource busy$/,
    ERRNO.EBUSY,
    "end the programs that use PATH",
  ],
  [/: Permission denied$/, ERRNO.EACCES, "choose another mount point"],
];
