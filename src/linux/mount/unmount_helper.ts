/**
 * A child process that unmounts for a server that has given up its rights, and
 * removes files that the server may no longer remove.
 *
 * It is a shell, started by root, that takes three words from a socket and
 * nothing else, so that a server that was taken over gains no more than the
 * unmount of its own mount. It does the same if the server dies.
 *
 * @module
 */

import { POLL } from "../../base/file_flags.ts";
import { ERRNO } from "../../base/errno.ts";
import { socketPair } from "../socket/socket.ts";
import { type Child, startChild } from "../syscall/child_process.ts";
import {
  closeDescriptor,
  OPEN,
  openDescriptor,
} from "../syscall/descriptor.ts";
import { pointerOf } from "../syscall/ffi_values.ts";
import { errno, libc } from "../syscall/libc.ts";
import type { DirectoryEntry } from "../syscall/directory_entry.ts";
import { findEntry } from "../syscall/path_walk.ts";
import { findExecutable } from "../syscall/process.ts";
import { waitForEvents } from "../syscall/poll.ts";
import { SystemError } from "../syscall/system_error.ts";
import { openConnection } from "./connection.ts";
import type { UnmountResult, UnusedResult } from "./fuse_mount.ts";
import type { Mount } from "./mountinfo.ts";

const SHELL = "/bin/sh";
const PATH = "/usr/sbin:/usr/bin:/sbin:/bin";
/** How long unmounting may take, in milliseconds. */
const ANSWER_MS = 20_000;
const END_MS = 5000;
const CHECK_AGAIN_MS = 10;
const REPLY_BYTES = 4096;

// <sys/socket.h>: EPIPE instead of a signal that would end this process.
const MSG_NOSIGNAL = 0x4000;

// Arguments: the name of the mount point in directory 3, the id of the mount, the
// number of its connection, and the names of files in directories 5, 7 and so on;
// 6, 8 and so on are these files. Everything is named relative to its directory,
// because the path of that may lead elsewhere by now. 4 is the directory of the
// connection in fusectl, where there is one: it is empty once the connection has
// ended, and another mount may have the numbers then.
const SCRIPT = `
trap '' HUP INT QUIT TERM
cd -P /proc/self/fd/3 || exit
exec 3<&-
name=./$1 id=$2 minor=$3
shift 3
newline='
'
has_ended() { [ -d /proc/self/fd/4/. ] && ! [ -e /proc/self/fd/4/waiting ]; }
is_mounted() {
  ! has_ended && grep -q "^$id [0-9]* 0:$minor " /proc/self/mountinfo
}
is_covered() { grep -q "^[0-9]* $id " /proc/self/mountinfo; }
unmount() {
  if ! is_mounted; then echo gone
  elif is_covered; then echo covered
  elif error=$(umount -c -i "$@" "$name" 2>&1); then echo unmounted
  elif ! is_mounted; then echo gone
  else
    case $error in
      *busy*) echo busy ;;
      *) echo "failed $error" ;;
    esac
  fi
}
word=
while read -r number word; do
  case $word in
    unused) result=$(unmount) ;;
    force) result=$(unmount -f -l) ;;
    *) break ;;
  esac
  printf '%s %s\\n' "$number" "\${result%%"$newline"*}"
  word=
done
[ "$word" = end ] || unmount -f -l
fd=5
for file do
  if [ "/proc/self/fd/$fd/$file" -ef "/proc/self/fd/$((fd + 1))" ]; then
    rm -f "/proc/self/fd/$fd/$file"
  fi
  fd=$((fd + 2))
done
`;

/** What the child process does at the end. */
export interface UnmountHelperOptions {
  /** The mount to unmount. */
  readonly mount: Pick<Mount, "id" | "minor" | "mountPoint">;
  /** Paths of files to remove, unless they are replaced until then. */
  readonly files: readonly string[];
  /** Whether to accept paths of `files` that other users can change. */
  readonly insecurePath: boolean;
  /** What to do where umount(8) is missing, for the message. */
  readonly advice: string;
}

/** The child process. */
export interface UnmountHelper {
  /** Its process id. */
  readonly pid: number;
  /**
   * Unmounts by MNT_FORCE and MNT_DETACH, which aborts the connection, and blocks
   * this thread meanwhile.
   *
   * @throws {SystemError} If that fails, or the child process has ended.
   */
  unmount(): UnmountResult;
  /**
   * Unmounts unless the mount is in use.
   *
   * @throws {SystemError} As {@linkcode UnmountHelper.unmount}.
   */
  unmountUnused(): Promise<UnusedResult>;
  /** Makes it remove the files and end, and waits for that. */
  end(): void;
}

/**
 * Starts the child process, which keeps the rights that this process has now.
 *
 * @throws {SystemError} With the errno of posix_spawn(3) or openat(2); ENOENT also
 * without umount(8).
 */
export function startUnmountHelper(
  { mount, files, insecurePath, advice }: UnmountHelperOptions,
): UnmountHelper {
  if (findExecutable("umount", PATH) === null) {
    throw new SystemError({
      call: "umount",
      action: "start the process that unmounts at the end",
      errno: ERRNO.ENOENT,
      reason: "umount(8) is not installed",
      advice: `install util-linux, or ${advice}`,
    });
  }
  const nullDevice = openDescriptor("/dev/null", OPEN.RDWR);
  const [ours, theirs] = socketPair();
  const control = openConnection(mount.minor);
  const entries: DirectoryEntry[] = [];
  const find = (path: string, isInsecure: boolean) => {
    const rules = { action: `remove ${path} later`, insecurePath: isInsecure };
    const entry = findEntry(path, rules);
    entries.push(entry);
    return entry;
  };
  try {
    // Its path has been checked before the mount.
    const place = find(mount.mountPoint, true);
    const removed = files.map((path) => find(path, insecurePath));
    const child = startChild({
      path: SHELL,
      args: [
        ...[SHELL, "-c", SCRIPT, "mqfuse-unmount"],
        ...[place.name, String(mount.id), String(mount.minor)],
        ...removed.map(({ name }) => name),
      ],
      // In English, because the script compares a message.
      environment: ["LC_ALL=C", `PATH=${PATH}`],
      descriptors: [
        ...[theirs, theirs, nullDevice],
        place.directory,
        control ?? nullDevice,
        ...removed.flatMap((
          { directory, fd },
        ) => [directory, fd ?? nullDevice]),
      ],
    });
    return new Helper(child, ours, mount.mountPoint);
  } catch (error) {
    closeDescriptor(ours);
    throw error;
  } finally {
    for (const entry of entries) entry.close();
    if (control !== null) closeDescriptor(control);
    closeDescriptor(theirs);
    closeDescriptor(nullDevice);
  }
}

class Helper implements UnmountHelper {
  readonly pid: number;
  readonly #child: Child;
  readonly #socket: number;
  readonly #path: string;
  /** Replies by number that have not been taken yet. */
  readonly #replies: Map<number, string> = new Map();
  #number = 0;
  #partial = "";
  #isOver = false;

  constructor(child: Child, socket: number, path: string) {
    this.pid = child.pid;
    this.#child = child;
    this.#socket = socket;
    this.#path = path;
  }

  unmount(): UnmountResult {
    const number = this.#send("force");
    const deadline = performance.now() + ANSWER_MS;
    while (!this.#replies.has(number) && performance.now() < deadline) {
      this.#receive(ANSWER_MS);
    }
    const result = this.#result(number);
    if (result === "busy") throw this.#error(ERRNO.EBUSY);
    return result;
  }

  async unmountUnused(): Promise<UnusedResult> {
    const number = this.#send("unused");
    const deadline = performance.now() + ANSWER_MS;
    while (!this.#replies.has(number) && performance.now() < deadline) {
      await new Promise((resolve) => setTimeout(resolve, CHECK_AGAIN_MS));
      this.#receive(0);
    }
    return this.#result(number);
  }

  end(): void {
    if (this.#isOver) return;
    try {
      this.#send("end");
    } catch {
      // It has ended already.
    }
    this.#isOver = true;
    closeDescriptor(this.#socket);
    this.#child.wait(END_MS);
  }

  #send(word: "unused" | "force" | "end"): number {
    if (this.#isOver) throw this.#error(ERRNO.ESRCH);
    const text = new TextEncoder().encode(`${++this.#number} ${word}\n`);
    const { send } = libc();
    const sent = send(
      this.#socket,
      text,
      BigInt(text.byteLength),
      MSG_NOSIGNAL,
    );
    if (sent < 0) throw this.#error(ERRNO.ESRCH);
    return this.#number;
  }

  /** Takes the replies that arrive within some milliseconds. */
  #receive(limitMs: number): void {
    if (!waitForEvents(this.#socket, POLL.IN, limitMs)) return;
    const bytes = new Uint8Array(REPLY_BYTES);
    const size = BigInt(bytes.byteLength);
    const count = libc().read(this.#socket, pointerOf(bytes), size);
    if (count <= 0) {
      if (count < 0 && errno() === ERRNO.EINTR) return;
      throw this.#error(ERRNO.ESRCH);
    }
    const text = new TextDecoder().decode(bytes.subarray(0, count));
    const lines = (this.#partial + text).split("\n");
    this.#partial = lines.pop()!;
    for (const line of lines) {
      const space = line.indexOf(" ");
      const number = Number(line.slice(0, space));
      this.#replies.set(number, line.slice(space + 1));
    }
  }

  #result(number: number): UnusedResult {
    const reply = this.#replies.get(number);
    this.#replies.delete(number);
    switch (reply) {
      case "unmounted":
      case "gone":
      case "covered":
      case "busy":
        return reply;
      case undefined:
        throw this.#error(ERRNO.ETIMEDOUT);
      default:
        throw this.#error(ERRNO.EIO, reply.replace(/^failed /, ""));
    }
  }

  #error(error: number, reason?: string): SystemError {
    return new SystemError({
      call: "umount2",
      action: `unmount ${this.#path} by the helper process ${this.pid}`,
      errno: error,
      reason: error === ERRNO.ESRCH ? "it has ended" : reason,
      advice: `as root, run 'umount -l ${this.#path}'`,
    });
  }
}
