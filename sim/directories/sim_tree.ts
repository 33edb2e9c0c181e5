import {
  type SimTreeOptions,
  Superblock,
  type TreeKernel,
} from "./superblock.ts";

/**
 * A mount whose root is a directory, over any `SimKernel`: the cached inodes
 * and dentries, which all clients of the mount share. `struct super_block`.
 *
 * @example Test a file system without a kernel
 * ```ts
 * import {
 *   serveInThread,
 *   SimKernel,
 *   SimTree,
 *   TreeClient,
 * } from "@mqfuse/mqfuse/sim";
 * import { Errno } from "@mqfuse/mqfuse/protocol";
 * import { assertRejects } from "@std/assert";
 *
 * const kernel = new SimKernel();
 * const wanted = {
 *   flags: [],
 *   maxWrite: 4096,
 *   maxBackground: 0,
 *   congestionThreshold: 0,
 * };
 * const handler = () => ({
 *   handle() {
 *     throw new Errno("ENOSYS");
 *   },
 * });
 * const server = await serveInThread(kernel, { wanted, handler });
 * const client = new TreeClient(new SimTree(kernel));
 * await assertRejects(() => client.stat("name"), Error, "ENOSYS");
 * kernel.unmount();
 * await server.ended;
 * ```
 *
 * @category Directories
 */
export class SimTree {
  /**
   * The cached inodes and dentries.
   *
   * @ignore
   */
  readonly superblock: Superblock;

  /**
   * Mounts; INIT may still be unanswered.
   *
   * @param kernel The kernel that sends the requests.
   * @param options Mount options, and the clock.
   */
  constructor(kernel: TreeKernel, options: SimTreeOptions = {}) {
    this.superblock = new Superblock(kernel, options);
  }

  /**
   * The lookup count of each cached inode, the root included. The server has to
   * count the same.
   */
  get lookups(): ReadonlyMap<bigint, bigint> {
    return this.superblock.lookups;
  }

  /** Drops unused dentries and inodes, as under memory pressure. */
  dropCaches(): void {
    this.superblock.dropCaches();
  }

  /**
   * Unmounts. As on Linux, the connection ends before the inodes are evicted,
   * so no FORGET is sent.
   */
  unmount(): void {
    this.superblock.unmount();
  }
}
