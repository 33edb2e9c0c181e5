import { S_IF } from "../base/file_flags.ts";
import { RequestCaller } from "../filesystem/caller.ts";
import { isReadOnly } from "../filesystem/context.ts";
import type { FileSystem } from "../filesystem/file_system.ts";
import {
  FILE_SYSTEM_FLAGS,
  FileSystemHandler,
} from "../filesystem/file_system_handler.ts";
import type { CacheOptions } from "../filesystem/options.ts";
import { fileTime } from "../linux/syscall/file_clock.ts";
import { FileSystemSession } from "./file_system_session.ts";
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
  /** Largest READ and WRITE in bytes, as `MountHandlerOptions.wanted` has it. */
  readonly maxWrite?: number;
  /**
   * Whether SIGINT and SIGTERM end the session, as `close()` does, and a second
   * one at once; no if left out.
   */
  readonly signals?: boolean;
}

const STOP_SIGNALS = ["SIGINT", "SIGTERM"] as const;

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
  const { maxWrite, signals = false, ...rest } = options;
  // The kernel stamps by its own clock, which programs compare with.
  const handler = new FileSystemHandler(fs, { now: fileTime, ...options });
  // No request has come yet: root asks.
  const mounter = new RequestCaller(fileTime);
  const { mode } = await fs.getattr(fs.root, mounter);
  const session = await mountHandler({
    writable: !isReadOnly(fs),
    ...rest,
    handler,
    mountpoint,
    root: (mode & S_IF.MT) === S_IF.DIR ? "directory" : "file",
    wanted: {
      flags: FILE_SYSTEM_FLAGS,
      ...maxWrite === undefined ? {} : { maxWrite },
    },
  });
  if (signals) closeOnSignals(session);
  return new FileSystemSession(session, handler);
}

function closeOnSignals(session: Session): void {
  let count = 0;
  const stop = () => {
    void (++count === 1 ? session.close() : session.abort());
  };
  for (const signal of STOP_SIGNALS) Deno.addSignalListener(signal, stop);
  void session.closed.then(() => {
    for (const signal of STOP_SIGNALS) Deno.removeSignalListener(signal, stop);
  });
}
