/**
 * A handler for tests of room: one file of zeroes with POSIX locks, whose READs
 * wait until something is written. Its number of links is the number of requests
 * that wait in the handler.
 *
 * @module
 */
import { ERRNO } from "../../src/base/errno.ts";
import { S_IF } from "../../src/base/file_flags.ts";
import {
  accessors,
  FOPEN,
  OPCODES,
  type Reply,
  type Request,
} from "../../src/protocol/mod.ts";
import type { RequestHandler } from "../../mod.ts";

const F_UNLCK = 2;
const SIZE = 1 << 30;
const LK = accessors("fuse_lk_in");
const LOCK_TYPE = LK.at.lk + accessors("fuse_file_lock").at.type;
const FLUSH = accessors("fuse_flush_in");
const INTERRUPT = accessors("fuse_interrupt_in");
const READ = accessors("fuse_read_in");
const WRITE = accessors("fuse_write_in");

/** A SETLKW that waits for the lock. */
interface Waiter {
  readonly unique: bigint;
  readonly owner: bigint;
  /** Answers it. */
  readonly answer: (errno: number) => void;
}

class GatedHandler implements RequestHandler {
  #lockOwner: bigint | null = null;
  readonly #waiters: Waiter[] = [];
  /** READs that wait. */
  #reads = 0;
  readonly #gate = Promise.withResolvers<void>();

  handle(request: Request, reply: Reply): void | Promise<void> {
    switch (request.opcode) {
      case OPCODES.GETATTR.opcode: {
        const attr = { ino: 1n, size: BigInt(SIZE), mode: S_IF.REG | 0o600 };
        const nlink = this.#waiters.length + this.#reads;
        return reply.struct("fuse_attr_out", { attr: { ...attr, nlink } });
      }
      case OPCODES.OPEN.opcode:
        return reply.struct("fuse_open_out", { open_flags: FOPEN.DIRECT_IO });
      case OPCODES.READ.opcode:
        return this.#read(request, reply);
      case OPCODES.WRITE.opcode: {
        this.#gate.resolve();
        const size = WRITE.get.size(request.body);
        return reply.struct("fuse_write_out", { size });
      }
      case OPCODES.SETLK.opcode:
      case OPCODES.SETLKW.opcode:
        return this.#setLock(request, reply);
      case OPCODES.INTERRUPT.opcode:
        return this.#interrupt(request, reply);
      case OPCODES.FLUSH.opcode:
        this.#unlock(FLUSH.get.lock_owner(request.body));
        return reply.ok();
      case OPCODES.RELEASE.opcode:
        return reply.ok();
      case OPCODES.FORGET.opcode:
        return reply.none();
      default:
        return reply.error(ERRNO.ENOSYS);
    }
  }

  async #read(request: Request, reply: Reply): Promise<void> {
    const size = READ.get.size(request.body);
    this.#reads++;
    await this.#gate.promise;
    this.#reads--;
    reply.zeroed(size);
    reply.ok(size);
  }

  #setLock(request: Request, reply: Reply): void | Promise<void> {
    const owner = LK.get.owner(request.body);
    if (request.body.getUint32(LOCK_TYPE, true) === F_UNLCK) {
      this.#unlock(owner);
      return reply.ok();
    }
    if (this.#lockOwner === null || this.#lockOwner === owner) {
      this.#lockOwner = owner;
      return reply.ok();
    }
    if (request.opcode === OPCODES.SETLK.opcode) {
      return reply.error(ERRNO.EAGAIN);
    }
    const { unique } = request;
    return new Promise((resolve) => {
      const answer = (errno: number) => {
        if (errno === 0) reply.ok();
        else reply.error(errno);
        resolve();
      };
      this.#waiters.push({ unique, owner, answer });
    });
  }

  #unlock(owner: bigint): void {
    if (this.#lockOwner !== owner) return;
    const next = this.#waiters.shift();
    this.#lockOwner = next?.owner ?? null;
    next?.answer(0);
  }

  #interrupt({ body }: Request, reply: Reply): void {
    const unique = INTERRUPT.get.unique(body);
    const at = this.#waiters.findIndex((waiter) => waiter.unique === unique);
    if (at < 0) return reply.error(ERRNO.EAGAIN);
    this.#waiters.splice(at, 1)[0]!.answer(ERRNO.EINTR);
    reply.none();
  }
}

/** Makes the handler. */
export default function makeHandler(): RequestHandler {
  return new GatedHandler();
}
