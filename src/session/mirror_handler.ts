/**
 * A mirror of a directory as the handler of a Worker.
 *
 * @module
 */
import { ERRNO } from "../base/errno.ts";
import { systemTime } from "../base/timespec.ts";
import type { BackingFiles } from "../filesystem/backing_files.ts";
import { FileSystemHandler } from "../filesystem/file_system_handler.ts";
import type { CacheOptions, FileCache } from "../filesystem/options.ts";
import { invalidateAttributesNow } from "../linux/fuse/attribute_notice.ts";
import {
  closeBackingFile,
  openBackingFile,
} from "../linux/fuse/fuse_device.ts";
import { ThreadCapabilities } from "../linux/syscall/thread_capabilities.ts";
import { groupsOfThread } from "../linux/syscall/thread_groups.ts";
import { SystemError } from "../linux/syscall/system_error.ts";
import { Mirror } from "../mirror/mirror.ts";
import type { DirectWrites } from "../mirror/tree.ts";
import type { RequestHandler } from "../queue/request_handler.ts";

/** What the kernel may keep of a mirror, as plain data. */
export type MirrorCache =
  & Pick<
    CacheOptions<never>,
    "attrSeconds" | "entrySeconds" | "negativeSeconds"
  >
  & { readonly cache?: FileCache };

/** How a Worker makes the handler of a mirror. Plain data. */
export interface MirrorSpec {
  readonly kind: "mirror";
  /** An O_PATH descriptor of the directory, which the Worker takes over. */
  readonly root: number;
  readonly cache: MirrorCache;
  /** Whether the kernel reads and writes the files by itself. */
  readonly passthrough: boolean;
  readonly directWrites: DirectWrites;
}

/**
 * Makes the handler of a mirror in this thread.
 *
 * @param device A descriptor of the connection.
 */
export function openMirrorHandler(
  { root, cache, passthrough, directWrites }: MirrorSpec,
  device: number,
): { readonly handler: RequestHandler; close(): Promise<void> } {
  const fs = new Mirror(root, { directWrites });
  const backingFiles = passthrough ? new DeviceBackingFiles(device) : null;
  // The host stamps the files, so that no time of the kernel's is needed.
  const handler = new FileSystemHandler(
    fs,
    { now: systemTime, ...cache },
    {
      backingFiles,
      enforcesAcls: true,
      leavesUmask: true,
      groupsOf: groupsOfThread,
      inPlace: true,
      privilegesKilled: (nodeid) => invalidateAttributesNow(device, nodeid),
    },
  );
  return {
    handler,
    close: () => {
      fs[Symbol.dispose]();
      return Promise.resolve();
    },
  };
}

/**
 * Registers files with the kernel, unless it takes none of this tree. The kernel
 * uses them with the capabilities of this thread at that time: CAP_FSETID is left
 * out, so that a file that is written to loses set-user-ID.
 */
class DeviceBackingFiles implements BackingFiles {
  readonly #device: number;
  readonly #capabilities = new ThreadCapabilities();
  #isRefused = false;

  constructor(device: number) {
    this.#device = device;
  }

  open(fd: number): number | null {
    if (this.#isRefused) return null;
    try {
      return this.#capabilities.without(
        "FSETID",
        () => openBackingFile(this.#device, fd),
      );
    } catch (error) {
      if (!(error instanceof SystemError)) throw error;
      // Of a stacked file system, or without CAP_SYS_ADMIN.
      const { errno } = error;
      this.#isRefused = errno === ERRNO.ELOOP || errno === ERRNO.EPERM;
      return null;
    }
  }

  close(id: number): void {
    closeBackingFile(this.#device, id);
  }
}
