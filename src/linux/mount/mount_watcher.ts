/**
 * A process that unmounts an ordinary user's export when its server has died.
 *
 * fusermount3 has `auto_unmount` for this, but up to libfuse 3.14.0 that does
 * nothing without `allow_other`: it looks at the mount as root, to whom the
 * kernel refuses it then; and it gives up on a mount that is in use.
 *
 * @module
 */

import type { Mount } from "./mountinfo.ts";
import { socketPair } from "../socket/socket.ts";
import { startChild } from "../syscall/child_process.ts";
import {
  closeDescriptor,
  OPEN,
  openDescriptor,
} from "../syscall/descriptor.ts";
import { libc } from "../syscall/libc.ts";

const SHELL = "/bin/sh";
const END_MS = 2000;

// Standard input ends when the server is gone, however it died. Numbers of
// mounts come again: a mount that answers to open(2) is somebody's new one.
const SCRIPT = `
trap '' HUP INT QUIT TERM
read -r word && exit
grep -q "^$2 [0-9]* 0:$3 " /proc/self/mountinfo || exit
(: <"$1") || exec "$4" -u -z -- "$1"
`;

/** What to watch over. */
export interface WatchOptions {
  /** The mount. */
  readonly mount: Pick<Mount, "id" | "minor" | "mountPoint">;
  /** The absolute path of fusermount3. */
  readonly fusermount: string;
}

/** The process that watches. */
export interface MountWatcher {
  /** Its number. */
  readonly pid: number;
  /** Sends it away; it does nothing, and has ended when this returns. Idempotent. */
  release(): void;
}

/**
 * Starts the process. It ends with this one, or before.
 *
 * @param options What to watch over.
 * @throws {SystemError} With posix_spawn(3)'s errno, or EMFILE.
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
          child.wait(END_MS);
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
