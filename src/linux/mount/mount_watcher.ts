/**
 * A child process that unmounts an ordinary user's export if its server dies.
 *
 * fusermount3 has the option `auto_unmount` for this. But up to libfuse 3.14.0 it
 * has no effect without `allow_other`, because it accesses the mount as root,
 * which the kernel denies then; and it does not unmount a mount that is in use.
 *
 * @module
 */

import { socketPair } from "../socket/socket.ts";
import { startChild } from "../syscall/child_process.ts";
import {
  closeDescriptor,
  OPEN,
  openDescriptor,
} from "../syscall/descriptor.ts";
import { libc } from "../syscall/libc.ts";
import type { Mount } from "./mountinfo.ts";

const SHELL = "/bin/sh";
const END_LIMIT_MS = 2000;

// Standard input ends when the server has died. The kernel may have reused the
// id of the mount: if open(2) succeeds, it belongs to a live server.
const SCRIPT = `
trap '' HUP INT QUIT TERM
read -r word && exit
grep -q "^$2 [0-9]* 0:$3 " /proc/self/mountinfo || exit
(: <"$1") || exec "$4" -u -z -- "$1"
`;

/** The options of {@linkcode watchMount}. */
export interface WatchOptions {
  /** The mount to unmount. */
  readonly mount: Pick<Mount, "id" | "minor" | "mountPoint">;
  /** The absolute path of fusermount3. */
  readonly fusermount: string;
}

/** The child process. */
export interface MountWatcher {
  /** Its process id. */
  readonly pid: number;
  /** Ends it, and waits for that. The mount stays. Later calls do nothing. */
  release(): void;
}

/**
 * Starts the child process.
 *
 * @param options What to watch.
 * @throws {SystemError} With the errno of posix_spawn(3), or EMFILE.
 */
export function watchMount(options: WatchOptions): MountWatcher {
  const { mount, fusermount } = options;
  const [ours, theirs] = socketPair();
  try {
    const nothing = openDescriptor("/dev/null", OPEN.RDWR);
    try {
      const child = startChild({
        path: SHELL,
        args: [
          SHELL,
          "-c",
          SCRIPT,
          "mqfuse-watch",
          mount.mountPoint,
          String(mount.id),
          String(mount.minor),
          fusermount,
        ],
        environment: ["LC_ALL=C", "PATH=/usr/bin:/bin"],
        descriptors: [theirs, nothing, nothing],
      });
      let released = false;
      return {
        pid: child.pid,
        release() {
          if (released) return;
          released = true;
          libc().write(ours, Deno.UnsafePointer.of(DONE), BigInt(DONE.length));
          closeDescriptor(ours);
          child.wait(END_LIMIT_MS);
        },
      };
    } finally {
      closeDescriptor(nothing);
    }
  } catch (error) {
    closeDescriptor(ours);
    throw error;
  } finally {
    closeDescriptor(theirs);
  }
}

const DONE = new TextEncoder().encode("done\n");
