import type { FileSystem } from "../../src/filesystem/file_system.ts";
import { FileSystemHandler } from "../../src/filesystem/file_system_handler.ts";
import { initFlags } from "../../src/filesystem/init_flags.ts";
import { isReadOnly } from "../../src/filesystem/context.ts";
import type { CacheOptions } from "../../src/filesystem/options.ts";
import type { Clock } from "../determinism/clock.ts";
import type { Credentials } from "../kernel/call.ts";
import type { KernelOffer } from "../kernel/negotiation.ts";
import { SimKernel } from "../vfs/sim_kernel.ts";
import { serveInThread, type ThreadServer } from "./thread_server.ts";
import { SimTree } from "../directories/sim_tree.ts";
import { TreeClient } from "../directories/tree_client.ts";

/**
 * Options of {@linkcode simulate}.
 *
 * @category Directories
 */
export interface SimulateOptions<N> extends CacheOptions<N> {
  /** Mount option `ro`; if left out, as `mountFileSystem()` decides. */
  readonly writable?: boolean;
  /**
   * What the kernel offers, such as an older one (`offerOf()`); as Linux 6.18 if
   * left out.
   */
  readonly offered?: KernelOffer;
  /** The time by which attributes and names expire; it stands still if left out. */
  readonly clock?: Clock;
  /** Receives what a method throws that stands for no error number. */
  readonly report?: (error: unknown, during: string) => void;
}

/** What `mountFileSystem()` requests. */
const MAX_WRITE = 128 * 1024;

/**
 * A file system of your own on a simulated kernel.
 *
 * @category Directories
 */
export class FileSystemSimulation<N extends object> implements AsyncDisposable {
  /** What answers the requests. */
  readonly handler: FileSystemHandler<N, unknown>;
  /** The kernel; its `violations` are what it found wrong with replies. */
  readonly kernel: SimKernel;
  /** The mount. */
  readonly tree: SimTree;
  readonly #server: ThreadServer;
  readonly #fs: FileSystem<N, unknown>;

  /** Wraps a running simulation; called by {@linkcode simulate}. */
  constructor(
    handler: FileSystemHandler<N, unknown>,
    kernel: SimKernel,
    tree: SimTree,
    server: ThreadServer,
    fs: FileSystem<N, unknown>,
  ) {
    this.#fs = fs;
    this.handler = handler;
    this.kernel = kernel;
    this.tree = tree;
    this.#server = server;
  }

  /** A program that uses the mount; of root if left out. */
  client(credentials?: Credentials): TreeClient {
    return new TreeClient(this.tree, credentials);
  }

  /**
   * Makes the kernel drop what it has cached and no program uses, as under
   * memory pressure, and waits until the file system has been told.
   */
  async dropCaches(): Promise<void> {
    await this.#quiet();
    this.tree.dropCaches();
    await this.#quiet();
  }

  /**
   * Unmounts.
   *
   * @throws {Error} If the kernel has found anything wrong with a reply.
   */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.#quiet();
    this.tree.unmount();
    await this.#server.ended;
    await this.#fs.destroy?.();
    const [first] = this.kernel.violations;
    if (first === undefined) return;
    throw new Error(`The kernel refused a reply: ${JSON.stringify(first)}`);
  }

  /** Waits until no request is outstanding. */
  async #quiet(): Promise<void> {
    for (let turns = 0; turns < 4 || this.kernel.outstanding > 0; turns++) {
      await new Promise((resolve) => setTimeout(resolve));
    }
  }
}

/**
 * Mounts a file system of your own on a simulated kernel, for tests: it needs no
 * permission, and its clients ({@linkcode TreeClient}) cause the requests that
 * system calls cause on Linux.
 *
 * @example Test that a file can be written
 * ```ts ignore
 * import { simulate } from "@mqfuse/mqfuse/sim";
 * import { O } from "@mqfuse/mqfuse/protocol";
 * import { fs } from "./my_file_system.ts";
 *
 * Deno.test("a file keeps what is written", async () => {
 *   await using simulation = await simulate(fs);
 *   const file = await simulation.client().open("a", O.CREAT | O.RDWR);
 *   await file.pwrite(new Uint8Array(5), 0);
 *   await file.close();
 * });
 * ```
 *
 * @category Directories
 */
export async function simulate<N extends object, H>(
  fs: FileSystem<N, H>,
  options: SimulateOptions<N> = {},
): Promise<FileSystemSimulation<N>> {
  const { writable = !isReadOnly(fs), clock, report } = options;
  await fs.init?.();
  const handler = new FileSystemHandler(fs, options);
  const timing = clock === undefined ? {} : { clock };
  const kernel = new SimKernel({
    queues: 1,
    maxRead: MAX_WRITE,
    allowOther: true,
    readOnly: !writable,
    ...options.offered === undefined ? {} : { offered: options.offered },
    ...timing,
  });
  const server = await serveInThread(kernel, {
    wanted: {
      flags: [
        "ASYNC_READ",
        "BIG_WRITES",
        "MAX_PAGES",
        "PARALLEL_DIROPS",
        ...initFlags(fs, options),
      ],
      maxWrite: MAX_WRITE,
      maxBackground: 64,
      congestionThreshold: 48,
    },
    handler: () => handler,
    ...report === undefined ? {} : { report },
  });
  await kernel.initialised;
  return new FileSystemSimulation(
    handler,
    kernel,
    new SimTree(kernel, timing),
    server,
    fs as FileSystem<N, unknown>,
  );
}
