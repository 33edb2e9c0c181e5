import { S_IF } from "../base/file_flags.ts";
import { isReadOnly } from "../filesystem/context.ts";
import type { FileSystem } from "../filesystem/file_system.ts";
import { FileSystemHandler } from "../filesystem/file_system_handler.ts";
import { initFlags } from "../filesystem/init_flags.ts";
import type { CacheOptions } from "../filesystem/options.ts";
import { RequestCaller } from "../filesystem/request_caller.ts";
import { fileTime } from "../linux/syscall/file_clock.ts";
import { groupsOfThread } from "../linux/syscall/thread_groups.ts";
import type { WantedCapabilities } from "../protocol/init.ts";
import type { AutoUnmount } from "./auto_unmount.ts";
import { checkWholeNumber } from "./check_value.ts";
import { closeOnSignals } from "./close_on_signals.ts";
import { FileSystemSession } from "./file_system_session.ts";
import type { Permissions } from "./handler_options.ts";
import { mountHandler } from "./mount_handler.ts";
import type { Session } from "./session.ts";
import type { SessionOptions } from "./session_options.ts";

/**
 * Options of {@linkcode mountFileSystem}.
 *
 * @category Mounting
 */
export interface FileSystemOptions<N>
  extends Omit<SessionOptions, "mountpoint" | "queues">, CacheOptions<N> {
  /**
   * Whether programs may write. If left out, they may if the file system has any
   * method that changes something.
   */
  readonly writable?: boolean;
  /** Device name of the mount in /proc/mounts; `mqfuse` if left out. */
  readonly name?: string;
  /** Who checks permissions; `kernel` if left out. See `FileSystem.access()`. */
  readonly permissions?: Permissions;
  /**
   * Whether a small process unmounts it if this program is killed or crashes: as
   * root, and for other users with the help of fusermount3; `auto` if left out.
   */
  readonly autoUnmount?: AutoUnmount;
  /** Largest READ and WRITE in bytes, as `MountHandlerOptions.wanted` has it. */
  readonly maxWrite?: number;
  /**
   * How many bytes the kernel may read ahead of a program, 0 for none; as many
   * as it offers, usually 128 KiB, if left out.
   */
  readonly readahead?: number;
  /**
   * Whether SIGINT and SIGTERM end the session, as `close()` does, and a second
   * one at once; no if left out.
   */
  readonly signals?: boolean;
}

/**
 * Mounts a file system of your own. The calling thread serves it, so a program
 * must not use its own mount by calls that block, such as `Deno.statSync()`.
 *
 * @example Mount one until Ctrl-C
 * ```ts ignore
 * import { mountFileSystem } from "@mqfuse/mqfuse/fs";
 * import { fs } from "./my_file_system.ts";
 *
 * const session = await mountFileSystem(fs, "mnt", { signals: true });
 * const { clean, problems } = await session.closed;
 * ```
 *
 * @param fs The file system.
 * @param mountpoint Where to mount it: a directory, or a file if its root is one.
 * @throws {UserError} If it cannot be mounted; nothing stays mounted.
 * @category Mounting
 */
export async function mountFileSystem<N extends object, H>(
  fs: FileSystem<N, H>,
  mountpoint: string,
  options: FileSystemOptions<N> = {},
): Promise<FileSystemSession<N>> {
  // The kernel stamps by its own clock, which programs compare with.
  const sources = { now: options.now ?? fileTime, groupsOf: groupsOfThread };
  let session: Session | null = null;
  const { now, groupsOf } = sources;
  const handler = new FileSystemHandler(fs, { ...options, now }, {
    groupsOf,
    wakePoll: (kh) => void session?.notifier.wakePoll(kh),
  });
  await using undo = new AsyncDisposableStack();
  await fs.init?.();
  undo.defer(() => fs.destroy?.());
  const { mode } = await fs.getattr(fs.root, new RequestCaller(sources));
  session = await mountHandler({
    writable: !isReadOnly(fs),
    autoUnmount: "auto",
    ...options,
    handler,
    mountpoint,
    root: (mode & S_IF.MT) === S_IF.DIR ? "directory" : "file",
    wanted: wantedFor(fs, options),
  });
  const end = undo.move();
  const closed = session.closed.finally(() => end.disposeAsync());
  if (options.signals === true) closeOnSignals(session);
  return new FileSystemSession(session, handler, closed);
}

const READAHEAD_MAX = 2 ** 32 - 1;

function wantedFor<N extends object, H>(
  fs: FileSystem<N, H>,
  { maxWrite, readahead, writeback = false }: FileSystemOptions<N>,
): Partial<WantedCapabilities> {
  return {
    flags: initFlags(fs, { writeback }),
    ...maxWrite === undefined ? {} : { maxWrite },
    ...readahead === undefined ? {} : {
      maxReadahead: checkWholeNumber(readahead, {
        name: "readahead",
        min: 0,
        max: READAHEAD_MAX,
      }),
    },
  };
}
