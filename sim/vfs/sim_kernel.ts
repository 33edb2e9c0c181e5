import { FuseDriver } from "../kernel/fuse_driver.ts";
import type { SimKernelOptions } from "../kernel/kernel_options.ts";
import { SimInode } from "./inode.ts";
import type { SimMount } from "./sim_client.ts";

/**
 * A kernel in TypeScript that stands in for Linux's FUSE driver: a connection
 * with its queues, and one mounted plain file. For a mount whose root is a
 * directory, put a {@linkcode SimTree} over it.
 *
 * A server in this thread takes its queues from {@linkcode SimKernel.queue};
 * servers in other threads share {@linkcode SimKernel.handles}, while
 * {@linkcode SimKernel.run} answers them.
 *
 * @category Kernel
 */
export class SimKernel extends FuseDriver implements SimMount {
  /**
   * The mounted file, as the kernel knows it.
   *
   * @ignore
   */
  readonly inode: SimInode;
  /** Mount option `ro`. */
  readonly readOnly: boolean;
  /** Mount option `allow_other`. */
  readonly allowOther: boolean;
  #attached = true;

  /** Mounts: allocates the queues' memory and sends INIT. */
  constructor(options: SimKernelOptions = {}) {
    super(options);
    this.readOnly = options.readOnly ?? false;
    this.allowOther = options.allowOther ?? false;
    this.inode = new SimInode(options.clock);
  }

  /** Whether a path still leads to the mounted file. */
  get attached(): boolean {
    return this.#attached;
  }

  /**
   * Unmounts lazily, as umount2(MNT_DETACH) does: no path leads to the file any
   * more, and the connection ends when the last open file is closed.
   */
  detach(): void {
    this.#attached = false;
    this.released();
  }

  /**
   * Called when the last reference to an open file is dropped.
   *
   * @ignore
   */
  released(): void {
    //= fs/fuse/inode.c fuse_kill_sb_anon(): the connection ends once nothing
    //= holds the mount.
    if (!this.#attached && this.inode.opens === 0) this.unmount();
  }
}
