import { ERRNO } from "../../src/base/errno.ts";
import { CHANNEL_END } from "../../src/queue/memory_queue.ts";
import type { Connection } from "../kernel/connection.ts";
import type { Dispatcher } from "../kernel/dispatch.ts";
import type { QueueLink } from "../kernel/queue_link.ts";

/** The server's descriptors: how they come, and how they and all else end. */
export class Descriptors {
  readonly #links: readonly QueueLink[];
  readonly #connection: Connection;
  readonly #dispatcher: Dispatcher;

  /** Puts the parts together. */
  constructor(
    links: readonly QueueLink[],
    connection: Connection,
    dispatcher: Dispatcher,
  ) {
    this.#links = links;
    this.#connection = connection;
    this.#dispatcher = dispatcher;
  }

  /** ioctl(FUSE_DEV_IOC_CLONE): 0 or a positive error number. */
  clone(target: number, source: number): number {
    const to = this.#links[target];
    const from = this.#links[source];
    //= fs/fuse/dev.c fuse_dev_ioctl_clone(): EINVAL for what is no FUSE
    //= descriptor, and fuse_device_clone(): for one that has a connection.
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
  close(link: QueueLink): void {
    if (!link.open) return;
    link.open = false;
    link.channel.end(CHANNEL_END.closed);
    link.wake();
    if (!link.bound) return;
    //= fs/fuse/dev.c fuse_dev_release(): what was read there ends with
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
    const told = this.#connection.abortError;
    this.disconnect(told ? CHANNEL_END.aborted : CHANNEL_END.unmounted);
  }

  /** Ends the connection for both sides: `fuse_abort_conn()`. */
  disconnect(end: number): void {
    const connection = this.#connection;
    if (!connection.connected) return;
    connection.disconnect();
    //= fs/fuse/dev.c fuse_abort_conn(): what is taken and what is pending ends
    //= with ECONNABORTED, and everyone who sleeps is woken.
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
