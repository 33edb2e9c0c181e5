/**
 * A file system in memory that notifies the kernel about what is in use: in each
 * request before its answer, without awaiting that, and from a timer. The kernel
 * caches writes, so that dropping pages waits for WRITEs to the same thread.
 *
 * @module
 */
import type {
  HandlerContext,
  Reply,
  Request,
  RequestHandler,
  SessionNotifier,
} from "../../mod.ts";
import { ERRNO } from "../../src/base/errno.ts";
import { S_IF } from "../../src/base/file_flags.ts";
import { accessors, FATTR, FOPEN, OPCODES } from "../../src/protocol/mod.ts";

const ROOT = 1n;
const FIRST = 2n;
/** Clients write to the files `f0` to `f2`; the kernel is given data of `f3`. */
export const FILES: readonly string[] = ["f0", "f1", "f2", "f3"];
const STORED = FIRST + 3n;
const PAGE = 4096;
/** Seconds for which the kernel may cache: longer than any test. */
const VALID_S = 36_000n;
/** Notifications in each request, and each time the timer fires. */
const IN_REQUEST = 5;
const IN_TIMER = 40;
const TIMER_MS = 2;
/** Notifications that may wait: less than the notifier's own limit. */
const WAITING_MAX = 4000;

const READ_IN = accessors("fuse_read_in");
const WRITE_IN = accessors("fuse_write_in");
const SETATTR_IN = accessors("fuse_setattr_in");

/** Words of the shared counters. */
export const COUNT = {
  /** Notifications that were sent by handlers. */
  HANDLER: 0,
  /** Notifications that were sent by timers. */
  TIMER: 1,
  /** Those that the kernel has acted on. */
  TAKEN: 2,
  /** Those about what it has not cached. */
  ABSENT: 3,
  /** Those that were rejected. */
  REJECTED: 4,
  /** NOTIFY_REPLYs that came. */
  RETRIEVED: 5,
  LENGTH: 6,
} as const;

/** The options of the module; plain data. */
export interface NotifyingOptions {
  /** How many notifications to send. */
  readonly total: number;
  /** {@linkcode COUNT} words. */
  readonly counts: Int32Array<SharedArrayBuffer>;
}

/** The file system. */
export class NotifyingFs implements RequestHandler {
  readonly background = true;
  readonly #total: number;
  readonly #counts: Int32Array<SharedArrayBuffer>;
  readonly #data: Uint8Array[] = FILES.map(() => new Uint8Array(PAGE));
  #notifier: SessionNotifier | null = null;
  #sent = 0;
  #settled = 0;

  /** Makes it; it notifies once `start()` has been called. */
  constructor({ total, counts }: NotifyingOptions) {
    this.#total = total;
    this.#counts = counts;
  }

  /** Starts to notify. */
  start(notifier: SessionNotifier): void {
    this.#notifier = notifier;
    const timer = setInterval(() => {
      for (let i = 0; i < IN_TIMER; i++) this.#notify(COUNT.TIMER);
      if (this.#sent >= this.#total) clearInterval(timer);
    }, TIMER_MS);
  }

  handle(request: Request, reply: Reply): void {
    for (let i = 0; i < IN_REQUEST; i++) {
      this.#notify(COUNT.HANDLER, request.nodeid);
    }
    const { opcode, nodeid } = request;
    switch (opcode) {
      case OPCODES.LOOKUP.opcode:
        return this.#lookUp(String(request.name()), reply);
      case OPCODES.SETATTR.opcode:
        this.#setSize(request);
        return this.#attributes(nodeid, reply);
      case OPCODES.GETATTR.opcode:
        return this.#attributes(nodeid, reply);
      case OPCODES.OPEN.opcode:
        return reply.struct("fuse_open_out", { open_flags: FOPEN.KEEP_CACHE });
      case OPCODES.READ.opcode:
        return this.#read(request, reply);
      case OPCODES.WRITE.opcode:
        return this.#write(request, reply);
      case OPCODES.FLUSH.opcode:
      case OPCODES.FSYNC.opcode:
      case OPCODES.RELEASE.opcode:
        return reply.ok();
      case OPCODES.NOTIFY_REPLY.opcode:
        Atomics.add(this.#counts, COUNT.RETRIEVED, 1);
        return reply.none();
      case OPCODES.FORGET.opcode:
      case OPCODES.BATCH_FORGET.opcode:
        return reply.none();
      default:
        return reply.error(ERRNO.ENOSYS);
    }
  }

  #notify(from: number, nodeid = FIRST + BigInt(this.#sent % 3)): void {
    if (this.#notifier === null) return;
    // Half of them come from handlers, half from timers.
    if (this.#counts[from]! >= this.#total / 2) return;
    if (this.#sent - this.#settled >= WAITING_MAX) return;
    const number = this.#sent++;
    Atomics.add(this.#counts, from, 1);
    sendOne(this.#notifier, number, nodeid).then(
      (taken) => this.#settle(taken ? COUNT.TAKEN : COUNT.ABSENT),
      // An older kernel does not know some of them, which is no errno.
      (error) => this.#settle("errno" in error ? COUNT.REJECTED : COUNT.ABSENT),
    );
  }

  #settle(what: number): void {
    this.#settled++;
    Atomics.add(this.#counts, what, 1);
  }

  #lookUp(name: string, reply: Reply): void {
    const index = FILES.indexOf(name);
    if (index < 0) return reply.error(ERRNO.ENOENT);
    const nodeid = FIRST + BigInt(index);
    reply.struct("fuse_entry_out", {
      nodeid,
      entry_valid: VALID_S,
      attr_valid: VALID_S,
      attr: this.#attr(nodeid),
    });
  }

  #attributes(nodeid: bigint, reply: Reply): void {
    reply.struct("fuse_attr_out", {
      attr_valid: VALID_S,
      attr: this.#attr(nodeid),
    });
  }

  #attr(nodeid: bigint) {
    if (nodeid === ROOT) return { ino: ROOT, mode: S_IF.DIR | 0o755, nlink: 2 };
    const size = BigInt(this.#dataOf(nodeid).length);
    return { ino: nodeid, mode: S_IF.REG | 0o644, nlink: 1, size };
  }

  #dataOf(nodeid: bigint): Uint8Array {
    return this.#data[Number(nodeid - FIRST)]!;
  }

  #resize(nodeid: bigint, size: number): Uint8Array {
    const resized = new Uint8Array(size);
    resized.set(this.#dataOf(nodeid).subarray(0, size));
    return this.#data[Number(nodeid - FIRST)] = resized;
  }

  #setSize({ nodeid, body }: Request): void {
    if ((SETATTR_IN.get.valid(body) & FATTR.SIZE) === 0) return;
    this.#resize(nodeid, SETATTR_IN.number.size(body));
  }

  #read({ nodeid, body }: Request, reply: Reply): void {
    const offset = READ_IN.number.offset(body);
    const end = offset + READ_IN.get.size(body);
    const bytes = this.#dataOf(nodeid).subarray(offset, end);
    reply.data.set(bytes);
    reply.ok(bytes.length);
  }

  #write({ nodeid, body, data }: Request, reply: Reply): void {
    const offset = WRITE_IN.number.offset(body);
    const size = WRITE_IN.get.size(body);
    let file = this.#dataOf(nodeid);
    if (offset + size > file.length) file = this.#resize(nodeid, offset + size);
    file.set(data.subarray(0, size), offset);
    reply.struct("fuse_write_out", { size });
  }
}

/** Sends one notification; its number decides which. */
function sendOne(
  notifier: SessionNotifier,
  number: number,
  nodeid: bigint,
): Promise<boolean> {
  const name = FILES[number % FILES.length]!;
  switch (number % 10) {
    case 0:
      return notifier.invalidateInode(nodeid, PAGE, 2 * PAGE);
    case 1:
      return notifier.invalidateAttributes(nodeid);
    case 2:
      return notifier.invalidateEntry(ROOT, name);
    case 3:
      return notifier.store(STORED, 0, new Uint8Array(PAGE));
    case 4:
      return notifier.deleteEntry(ROOT, nodeid, "absent");
    case 5:
      return notifier.wakePoll(1n);
    case 6:
      return notifier.retrieve(STORED, 0, PAGE, BigInt(number));
    case 7:
      return number % 100 === 7
        ? notifier.incrementEpoch()
        : notifier.invalidateInode(12_345n);
    case 8:
      return notifier.prune([nodeid, STORED]);
    default:
      return notifier.invalidateInode(nodeid);
  }
}

/** Makes it in a Worker. */
export default function makeHandler(
  options: unknown,
  { notifier }: HandlerContext,
): RequestHandler {
  const fs = new NotifyingFs(options as NotifyingOptions);
  fs.start(notifier);
  return fs;
}
