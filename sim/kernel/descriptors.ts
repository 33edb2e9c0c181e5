import { ERRNO } from "../../src/base/errno.ts";
import { viewOf } from "../../src/protocol/codec.ts";
import { sizeOf } from "../../src/protocol/layout.ts";
import {
  CHANNEL_END,
  type MemoryKernel,
} from "../../src/queue/memory_queue.ts";
import type { Connection } from "./connection.ts";
import type { Dispatcher } from "./dispatch.ts";
import type { QueueLink } from "./queue_link.ts";
import type { ReplyPath } from "./reply_path.ts";

const OUT_HEADER_SIZE = sizeOf("fuse_out_header");

/** The parts of the driver that {@linkcode Descriptors} uses. */
export interface DescriptorsOptions {
  /** The queues, by number. */
  readonly links: readonly QueueLink[];
  /** The connection that the descriptors belong to. */
  readonly connection: Connection;
  /** Delivers requests. */
  readonly dispatcher: Dispatcher;
  /** Accepts replies. */
  readonly replyPath: ReplyPath;
}

/**
 * The server's descriptors of /dev/fuse: what the driver does when the server
 * reads, writes, clones or closes one. `fuse_dev_operations`.
 */
export class Descriptors implements MemoryKernel {
  readonly #links: readonly QueueLink[];
  readonly #connection: Connection;
  readonly #dispatcher: Dispatcher;
  readonly #replyPath: ReplyPath;

  /** Makes the descriptors of a connection. */
  constructor(options: DescriptorsOptions) {
    this.#links = options.links;
    this.#connection = options.connection;
    this.#dispatcher = options.dispatcher;
    this.#replyPath = options.replyPath;
  }

  /** The server is in read(2), or has fetched for an entry. */
  offered(index: number): void {
    const link = this.#links[index]!;
    if (!link.open || !link.bound || !this.#connection.connected) return;
    const wasReady = !link.isRingQueue || link.fetched;
    for (;;) {
      const entry = link.channel.offered.shift();
      if (entry < 0) break;
      link.fetched = true;
      this.#dispatcher.addWaiting(link, entry);
    }
    // The server frees an entry when it replies and may offer it again at
    // once: its reply has to be taken out before a request goes in.
    this.replied(index);
    this.#dispatcher.deliver(link);
    //= fs/fuse/dev_uring.c fuse_uring_do_register(): senders that waited for
    //= the ring go on once every queue has an entry.
    if (!wasReady && link.fetched) this.#connection.wakeAll();
  }

  /** The server has replied; returns whether the reply was accepted. */
  replied(index: number): boolean {
    const link = this.#links[index]!;
    let accepted = true;
    for (;;) {
      const number = link.channel.replied.shift();
      if (number < 0) return accepted;
      accepted = this.#replyPath.takeBack(link, link.channel.entries[number]!);
    }
  }

  /** The server has sent a notification; returns 0 or a negative errno. */
  notified(index: number, message: Uint8Array): number {
    return Math.min(0, this.write(index, message));
  }

  /** Resolves when an entry was filled in or the queue has ended. */
  wait(index: number): Promise<void> {
    const link = this.#links[index]!;
    const { channel } = link;
    if (channel.filled.length > 0 || channel.ended !== 0) {
      return Promise.resolve();
    }
    return link.sleep();
  }

  /** write(2); the bytes taken, or a negative errno. */
  write(index: number, message: Uint8Array): number {
    const errno = this.#replyPath.write(
      this.#links[index]!,
      viewOf(message),
      message.subarray(OUT_HEADER_SIZE),
      message.length,
    );
    return errno === 0 ? message.length : -errno;
  }

  /** ioctl(FUSE_DEV_IOC_CLONE): 0 or a positive error number. */
  clone(target: number, source: number): number {
    const to = this.#links[target];
    const from = this.#links[source];
    //= fs/fuse/dev.c fuse_dev_ioctl_clone(): EINVAL for a file that is no FUSE
    //= descriptor; fuse_device_clone(): for one that has a connection.
    if (to === undefined || from === undefined) return ERRNO.EINVAL;
    if (to.bound || !to.open) return ERRNO.EINVAL;
    //= fs/fuse/dev.c fuse_get_dev(): EPERM for a source without a connection.
    if (!from.bound || !from.open || !this.#connection.connected) {
      return ERRNO.EPERM;
    }
    to.bound = true;
    this.#dispatcher.open(to);
    return 0;
  }

  /** close(2), by the server or by its death. */
  closed(index: number): void {
    const link = this.#links[index]!;
    if (!link.open) return;
    link.open = false;
    link.channel.end(CHANNEL_END.closed);
    link.wake();
    if (!link.bound) return;
    //= fs/fuse/dev.c fuse_dev_release(): requests that were read there end with
    //= ECONNABORTED, and the last descriptor aborts the connection.
    for (const request of link.takeProcessing()) {
      this.#connection.end(request, ERRNO.ECONNABORTED);
    }
    if (!this.#dispatcher.close(link)) this.disconnect(CHANNEL_END.unmounted);
  }

  /** Aborts as the connection's file in /sys/fs/fuse/connections does. */
  abort(): void {
    //= fs/fuse/control.c fuse_conn_abort_write(): readers get ECONNABORTED
    //= with FUSE_ABORT_ERROR, ENODEV without.
    const { abortError } = this.#connection;
    this.disconnect(abortError ? CHANNEL_END.aborted : CHANNEL_END.unmounted);
  }

  /** Ends the connection for both sides: `fuse_abort_conn()`. */
  disconnect(end: number): void {
    const connection = this.#connection;
    if (!connection.connected) return;
    connection.disconnect();
    //= fs/fuse/dev.c fuse_abort_conn(): taken and pending requests end with
    //= ECONNABORTED, and all sleepers are woken.
    for (const link of this.#links) {
      for (const request of link.takeProcessing()) {
        connection.end(request, ERRNO.ECONNABORTED);
      }
    }
    for (const request of this.#dispatcher.closeAll()) {
      connection.end(request, ERRNO.ECONNABORTED);
    }
    connection.wakeAll();
    for (const link of this.#links) {
      link.channel.end(end);
      link.wake();
    }
  }
}
