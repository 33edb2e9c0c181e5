import { ERRNO } from "../../src/base/errno.ts";
import { accessors } from "../../src/protocol/accessors.ts";
import { encodeStruct, viewOf } from "../../src/protocol/codec.ts";
import { FUSE_INT_REQ_BIT, FUSE_NOTIFY } from "../../src/protocol/flags.ts";
import { sizeOf } from "../../src/protocol/layout.ts";
import type { MemoryEntry } from "../../src/queue/memory_channel.ts";
import { judgeCommit } from "./commit_rules.ts";
import type { Connection } from "./connection.ts";
import type { Dispatcher } from "./dispatch.ts";
import { judgeNotification } from "./notify_rules.ts";
import type { QueueLink } from "./queue_link.ts";
import { judgeReply, type ReplyVerdict } from "./reply_rules.ts";
import type { SimRequest } from "./sim_request.ts";
import type { ViolationLog } from "./violation.ts";

const RETRIEVE = accessors("fuse_notify_retrieve_out");
const OUT_HEADER_SIZE = sizeOf("fuse_out_header");

/**
 * A reply that the kernel has accepted.
 *
 * @category Kernel
 */
export interface AcceptedReply {
  /** The queue that it was written to. */
  readonly queue: number;
  /** The queue that the request was read from. */
  readonly readFrom: number;
  /** The request's id. */
  readonly unique: bigint;
  /** A positive error number, 0 for success. */
  readonly errno: number;
  /** Bytes of the whole reply. */
  readonly length: number;
}

/** The options of a {@linkcode ReplyPath}. */
export interface ReplyPathOptions {
  /** Ends requests. */
  readonly connection: Connection;
  /** Sends requests again after a resend or an interrupt. */
  readonly dispatcher: Dispatcher;
  /** Records what the server does wrong. */
  readonly log: ViolationLog;
  /** Called with each accepted reply. */
  readonly onReply: ((reply: AcceptedReply) => void) | undefined;
}

/**
 * The reply path: what write(2) on /dev/fuse and the commit of an io_uring
 * entry do. `fuse_dev_do_write()`, `fuse_uring_commit_fetch()`.
 */
export class ReplyPath {
  readonly #options: ReplyPathOptions;

  /** Makes the reply path of a connection. */
  constructor(options: ReplyPathOptions) {
    this.#options = options;
  }

  /**
   * Takes an entry that the server gave back; returns whether its reply, if
   * any, was accepted.
   */
  takeBack(link: QueueLink, entry: MemoryEntry): boolean {
    const held = link.takeHeld(entry);
    const length = entry.lengths[1]!;
    if (length > 0) {
      const { header, data } = entry.reply;
      const size = Math.max(0, length - OUT_HEADER_SIZE);
      const body = size === 0 ? NO_BODY : data.subarray(0, size);
      if (!this.#isReachable(link)) return false;
      const verdict = link.isRingQueue
        ? judgeCommit(header, length, held, link.processing)
        : judgeReply(header, length, link.processing);
      return this.#apply(link, verdict, header, body, length) === 0;
    }
    const needsReply = held !== undefined && link.processing.has(held.unique);
    if (needsReply) {
      const message = `${held.call.opcode} was given back without a reply`;
      const { log } = this.#options;
      log.add("withheld reply", link.index, held.unique, 0, message);
    }
    return true;
  }

  /** write(2): 0, or the positive error number that it fails with. */
  write(
    link: QueueLink,
    header: DataView,
    body: Uint8Array,
    length: number,
  ): number {
    //= fs/fuse/dev.c fuse_dev_write(): EPERM on a descriptor that belongs to
    //= no connection.
    if (!link.bound) return ERRNO.EPERM;
    if (!this.#isReachable(link)) return ERRNO.ENOENT;
    const verdict = judgeReply(header, length, link.processing);
    return this.#apply(link, verdict, header, body, length);
  }

  #isReachable(link: QueueLink): boolean {
    //= fs/fuse/dev.c fuse_dev_do_write(): no request is found after the
    //= connection or the descriptor has ended.
    return this.#options.connection.connected && link.open;
  }

  #apply(
    link: QueueLink,
    verdict: ReplyVerdict,
    header: DataView,
    body: Uint8Array,
    length: number,
  ): number {
    switch (verdict.kind) {
      case "answer": {
        const { request, errno } = verdict;
        link.processing.delete(request.unique);
        link.answered++;
        this.#options.onReply?.({
          queue: link.index,
          readFrom: request.queue,
          unique: request.unique,
          errno,
          length,
        });
        this.#options.connection.end(request, errno, body);
        return 0;
      }
      case "interrupt":
        return this.#interruptAnswered(verdict.request, verdict.errno);
      case "notification":
        return this.#notified(link, verdict.code, body);
      case "failed":
        link.processing.delete(verdict.request.unique);
        this.#options.connection.end(verdict.request, verdict.end);
    }
    const unique = length < OUT_HEADER_SIZE ? 0n : header.getBigUint64(8, true);
    const { errno, message } = verdict;
    // The server cannot know whether an interrupted request has ended, nor
    // which queue has it.
    const isLate = errno === ERRNO.ENOENT && (unique & FUSE_INT_REQ_BIT) !== 0n;
    if (!isLate) {
      const { log } = this.#options;
      log.add("refused reply", link.index, unique, errno, message);
    }
    return errno;
  }

  #interruptAnswered(request: SimRequest, errno: number): number {
    const { connection, dispatcher } = this.#options;
    //= fs/fuse/dev.c fuse_dev_do_write(): ENOSYS disables INTERRUPT, EAGAIN
    //= repeats it, other errors are ignored.
    if (errno === ERRNO.ENOSYS) connection.interrupts = false;
    else if (errno === ERRNO.EAGAIN) dispatcher.interrupt(request);
    return 0;
  }

  #notified(link: QueueLink, code: number, body: Uint8Array): number {
    const errno = judgeNotification(code, body);
    if (errno === 0 && code === FUSE_NOTIFY.RESEND) {
      this.#options.dispatcher.resend();
    }
    if (errno === 0 && code === FUSE_NOTIFY.RETRIEVE) this.#retrieved(body);
    // The server may have known an inode that the kernel has forgotten since.
    if (errno !== 0 && errno !== ERRNO.ENOENT) {
      const message = `notification ${code} is not acceptable`;
      this.#options.log.add("refused reply", link.index, 0n, errno, message);
    }
    return errno;
  }

  #retrieved(body: Uint8Array): void {
    const view = viewOf(body);
    const nodeid = RETRIEVE.get.nodeid(view);
    //= fs/fuse/dev.c fuse_retrieve(): the cached pages up to the first gap, in
    //= a NOTIFY_REPLY. Here none are cached.
    const offset = RETRIEVE.get.offset(view);
    const reply = encodeStruct("fuse_notify_retrieve_in", { offset });
    this.#options.connection.notifyReply(
      { opcode: "NOTIFY_REPLY", nodeid, body: reply },
      RETRIEVE.get.notify_unique(view),
    );
  }
}

const NO_BODY = new Uint8Array(0);
