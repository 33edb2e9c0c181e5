/**
 * A file system in memory with further operations, so that more kinds of messages can
 * be recorded.
 *
 * @module
 */
import { MemoryFs } from "../../examples/memory.ts";
import { FileSystemHandler } from "../../src/filesystem/file_system_handler.ts";
import {
  accessors,
  contiguousExchange,
  encodeRequest,
  Errno,
  opcodeName,
  ProtocolVersion,
  writeStruct,
} from "../../src/protocol/mod.ts";
import type { Reply, Request, RequestHandler } from "../../mod.ts";

const ATTR_OUT = accessors("fuse_attr_out");
const ATTR = accessors("fuse_attr");
const COPY_IN = accessors("fuse_copy_file_range_in");
const INTERRUPT_IN = accessors("fuse_interrupt_in");
const IOCTL_IN = accessors("fuse_ioctl_in");
const POLL_IN = accessors("fuse_poll_in");

/** The options of a {@linkcode GoldenHandler}. */
export interface GoldenHandlerOptions {
  /** Requests that it answers with ENOSYS. */
  readonly without?: readonly string[];
}

/** A file system that answers more kinds of requests than most. */
export class GoldenHandler implements RequestHandler {
  readonly #tree = new FileSystemHandler(new MemoryFs());
  readonly #without: ReadonlySet<string>;
  readonly #nodeids = new Map<string, bigint>();
  readonly #waiting = new Map<bigint, () => void>();

  constructor(options: GoldenHandlerOptions = {}) {
    this.#without = new Set(options.without);
  }

  /** The last inode of a name, 0 for an unknown name. */
  nodeidOf(name: string): bigint {
    return this.#nodeids.get(name) ?? 0n;
  }

  handle(request: Request, reply: Reply): void | PromiseLike<void> {
    const name = opcodeName(request.opcode)!;
    if (this.#without.has(name)) throw new Errno("ENOSYS");
    switch (name) {
      case "LOOKUP":
      case "CREATE":
        this.#tree.handle(request, reply);
        if (reply.errno === 0) {
          this.#nodeids.set(request.name(), reply.body.getBigUint64(0, true));
        }
        return;
      case "READ":
        if (request.nodeid === this.nodeidOf("slow")) {
          return this.#wait(request, reply);
        }
        return this.#tree.handle(request, reply);
      case "INTERRUPT":
        this.#waiting.get(INTERRUPT_IN.get.unique(request.body))?.();
        return reply.none();
      case "ACCESS":
      case "SETLK":
      case "SETLKW":
        return reply.ok();
      case "GETLK":
        writeStruct("fuse_lk_out", reply.body, 0, { lk: { type: 2 } });
        return reply.ok(24);
      case "POLL":
        writeStruct("fuse_poll_out", reply.body, 0, {
          revents: POLL_IN.get.events(request.body) & 5,
        });
        return reply.ok(8);
      case "IOCTL": {
        const size = IOCTL_IN.get.out_size(request.body);
        writeStruct("fuse_ioctl_out", reply.body, 0, {});
        reply.data.fill(0, 16, 16 + size);
        return reply.ok(16 + size);
      }
      case "COPY_FILE_RANGE":
      case "COPY_FILE_RANGE_64": {
        const copied = Math.min(8, COPY_IN.number.len(request.body));
        reply.zeroed(8);
        reply.body.setUint32(0, copied, true);
        return reply.ok(8);
      }
      case "STATX":
        return this.#statx(request, reply);
      default:
        return this.#tree.handle(request, reply);
    }
  }

  /** Answers once the caller has received a signal. */
  #wait(request: Request, reply: Reply): Promise<void> {
    const { unique } = request;
    return new Promise((resolve) => {
      const late = setTimeout(() => this.#waiting.get(unique)?.(), 5000);
      this.#waiting.set(unique, () => {
        clearTimeout(late);
        this.#waiting.delete(unique);
        reply.error(4);
        resolve();
      });
    });
  }

  #statx(request: Request, reply: Reply): void {
    const message = encodeRequest("GETATTR", {
      header: { unique: request.unique, nodeid: request.nodeid },
    });
    const inner = contiguousExchange(message, new Uint8Array(256));
    inner.request.validate(message.length, ProtocolVersion.NEWEST);
    this.#tree.handle(inner.request, inner.reply);
    const { body } = inner.reply;
    const at = ATTR_OUT.at.attr;
    writeStruct("fuse_statx_out", reply.body, 0, {
      attr_valid: ATTR_OUT.get.attr_valid(body),
      stat: {
        mask: 0x7ff,
        blksize: 4096,
        nlink: ATTR.get.nlink(body, at),
        uid: ATTR.get.uid(body, at),
        gid: ATTR.get.gid(body, at),
        mode: ATTR.get.mode(body, at),
        ino: ATTR.get.ino(body, at),
        size: ATTR.get.size(body, at),
        blocks: ATTR.get.blocks(body, at),
        mtime: { tv_sec: ATTR.get.mtime(body, at) },
        ctime: { tv_sec: ATTR.get.ctime(body, at) },
      },
    });
    reply.ok(288);
  }
}
