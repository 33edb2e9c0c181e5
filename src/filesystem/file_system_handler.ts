import { ERRNO } from "../base/errno.ts";
import { accessors } from "../protocol/accessors.ts";
import { type OpcodeName, OPCODES } from "../protocol/opcodes.ts";
import type { Reply } from "../protocol/reply.ts";
import type { Request } from "../protocol/request.ts";
import type { RequestHandler } from "../queue/request_handler.ts";
import { type CallerSources, RequestCaller } from "./request_caller.ts";
import { type ContextServices, FileSystemContext } from "./context.ts";
import type { FileSystem, May } from "./file_system.ts";
import * as data from "./operations/data.ts";
import * as devices from "./operations/devices.ts";
import * as listing from "./operations/listing.ts";
import * as locking from "./operations/locking.ts";
import * as names from "./operations/names.ts";
import * as nodes from "./operations/nodes.ts";
import * as opening from "./operations/opening.ts";
import type { Operation } from "./operations/operation.ts";
import * as xattrs from "./operations/xattrs.ts";
import { type CacheOptions, checkCacheOptions } from "./options.ts";
import { inTime } from "./time_out.ts";
import { umaskOf } from "./umask.ts";

const INTERRUPT = OPCODES.INTERRUPT.opcode;
const INTERRUPT_IN = accessors("fuse_interrupt_in");

const OPERATIONS: { readonly [Name in OpcodeName]?: Operation } = {
  LOOKUP: nodes.lookup,
  FORGET: nodes.forget,
  BATCH_FORGET: nodes.batchForget,
  GETATTR: nodes.getattr,
  SETATTR: nodes.setattr,
  READLINK: nodes.readlink,
  STATFS: nodes.statfs,
  ACCESS: nodes.access,

  MKNOD: names.mknod,
  MKDIR: names.mkdir,
  SYMLINK: names.symlink,
  LINK: names.link,
  UNLINK: names.unlink,
  RMDIR: names.rmdir,
  RENAME: names.rename,
  RENAME2: names.rename2,

  OPENDIR: listing.opendir,
  READDIR: listing.readdir,
  READDIRPLUS: listing.readdirplus,
  RELEASEDIR: listing.releasedir,
  FSYNCDIR: opening.fsyncdir,

  OPEN: opening.open,
  CREATE: opening.create,
  TMPFILE: opening.tmpfile,
  FLUSH: opening.flush,
  FSYNC: opening.fsync,
  RELEASE: opening.release,

  GETLK: locking.getlk,
  SETLK: locking.setlk,
  SETLKW: locking.setlkw,
  IOCTL: devices.ioctl,
  POLL: devices.poll,

  READ: data.read,
  WRITE: data.write,
  FALLOCATE: data.fallocate,
  LSEEK: data.lseek,

  GETXATTR: xattrs.getxattr,
  SETXATTR: xattrs.setxattr,
  LISTXATTR: xattrs.listxattr,
  REMOVEXATTR: xattrs.removexattr,
};

/** Operations by opcode, without holes. */
const BY_OPCODE: (Operation | null)[] = new Array(64).fill(null);
for (const [name, operation] of Object.entries(OPERATIONS)) {
  BY_OPCODE[OPCODES[name as OpcodeName].opcode] = operation;
}

/**
 * What a session offers a file system.
 *
 * @category Without mountFileSystem
 */
export interface FileSystemServices extends ContextServices {
  /**
   * As {@linkcode RequestHandler.inPlace}: for a file system that keeps nothing
   * of what it is given.
   */
  readonly inPlace?: boolean;
}

/**
 * Answers the requests of one mount by the methods of a file system. It owns
 * what the kernel and the wire make necessary: node ids and lookup counts,
 * handles, positions in directories, and who is to be interrupted.
 *
 * {@linkcode mountFileSystem} makes one; make one yourself to serve it by other
 * means. All queues that serve a mount need the same one.
 *
 * @category Without mountFileSystem
 */
export class FileSystemHandler<N extends object, H = unknown>
  implements RequestHandler {
  readonly inPlace: boolean;
  readonly #context: FileSystemContext<N, H>;
  readonly #sources: CallerSources;
  /** Callers of requests that are answered later, by `unique`. */
  readonly #waiting = new Map<bigint, RequestCaller>();
  /** A caller for the next request. */
  #idle: RequestCaller | null = null;

  /**
   * Makes a handler.
   *
   * @param fs The file system.
   * @param options What the kernel may cache.
   * @param services What the session offers.
   * @throws {UserError} If an option cannot be used.
   */
  constructor(
    fs: FileSystem<N, H>,
    options: CacheOptions<N> = {},
    services: FileSystemServices = {},
  ) {
    const own = fs.cache === undefined ? {} : {
      cache: (node: N) => fs.cache!(node),
    };
    const rules = checkCacheOptions({ ...own, ...options });
    this.#context = new FileSystemContext(fs, rules, services);
    const { now } = rules;
    this.#sources = {
      now,
      groupsOf: this.#context.groupsOf,
      umaskOf: services.leavesUmask === true ? umaskOf : undefined,
    };
    this.inPlace = services.inPlace ?? false;
  }

  /** The number of nodes that the kernel knows, the root included. */
  get nodes(): number {
    return this.#context.nodes.size;
  }

  /** The number of open files with a handle, and of open directories. */
  get handles(): number {
    const { handles, streams } = this.#context;
    return handles.size + streams.size;
  }

  /** The id by which the kernel knows a node; `null` if it does not. */
  nodeid(node: N): bigint | null {
    const id = this.#context.nodes.knownId(node);
    return id === null ? null : BigInt(id);
  }

  /** How often the kernel has looked up a node and not forgotten it. */
  lookups(node: N): number {
    return this.#context.nodes.lookups(node);
  }

  handle(request: Request, reply: Reply): May<void> {
    const { opcode } = request;
    if (opcode === INTERRUPT) return this.#interrupt(request, reply);
    const operation = BY_OPCODE[opcode] ?? null;
    // The kernel remembers that for most requests, and does without.
    if (operation === null) return reply.error(ERRNO.ENOSYS);
    const caller = this.#idle ?? new RequestCaller(this.#sources);
    this.#idle = null;
    caller.bind(request);
    const answer = operation(this.#context, request, reply, caller);
    if (answer !== undefined) {
      return this.#later(answer, request.unique, caller, reply);
    }
    this.#idle = caller;
  }

  async #later(
    answer: PromiseLike<unknown>,
    unique: bigint,
    caller: RequestCaller,
    reply: Reply,
  ): Promise<void> {
    const { timeoutMs } = this.#context.rules;
    this.#waiting.set(unique, caller);
    try {
      if (timeoutMs === null) await answer;
      else await inTime(answer, timeoutMs, caller, reply);
    } finally {
      this.#waiting.delete(unique);
    }
  }

  /** A request that does not wait here has just been answered. */
  #interrupt(request: Request, reply: Reply): void {
    reply.none();
    this.#waiting.get(INTERRUPT_IN.get.unique(request.body))?.interrupt();
  }
}
