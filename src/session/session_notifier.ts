import { ERRNO, errnoName } from "../base/errno.ts";
import { UserError } from "../base/user_error.ts";
import { FUSE_NOTIFY_INVAL_ENTRY } from "../protocol/flags.ts";
import type { NegotiatedCapabilities } from "../protocol/init.ts";
import {
  encodeNotification,
  type NotificationName,
  type NotificationParts,
  type NotificationRow,
  NOTIFICATIONS,
} from "../protocol/notifications.ts";
import type { Name } from "../protocol/text.ts";
import type { Notifier } from "../queue/notifier.ts";

/**
 * Options of {@linkcode SessionNotifier.invalidateEntry}.
 *
 * @category Sessions
 */
export interface InvalidateEntryOptions {
  /**
   * Whether the kernel only looks the name up again at its next use, and does
   * not unmount what is mounted below it; no if left out.
   */
  readonly expireOnly?: boolean;
}

/**
 * Notifies the kernel of a session about changes that did not come through the
 * mount, so that it drops or replaces what it has cached.
 *
 * Each method resolves once the kernel has acted: to `true`, or to `false` if it
 * has nothing cached for that inode or name (ENOENT), which is normal, as in
 * libfuse. If the kernel refuses for another reason, the promise rejects with a
 * `UserError` that has an `errno`: ENODEV once the session has ended, ENOBUFS if
 * 16384 notifications wait already, ENOTEMPTY or EBUSY for a directory that
 * `deleteEntry()` cannot drop. A promise that is not awaited is no unhandled
 * rejection.
 *
 * Notifications take effect in the order of the calls, all threads of a session
 * together. They are sent by another thread, so no call blocks. But the kernel
 * may wait for requests that are in flight on the inode: for a READ of the
 * pages, or for a LOOKUP, CREATE or UNLINK in the directory. So a handler that
 * awaits a notification *before it answers* a request on that inode waits for
 * itself, until the program is interrupted or the session ends; other requests
 * are answered meanwhile, but later notifications wait too. Answer first and
 * notify afterwards, or do not await the notification.
 *
 * @example Drop a file's cached data whenever its source changes
 * ```ts ignore
 * import { mountHandler } from "@mqfuse/mqfuse";
 * import { handler, source } from "./my_file_system.ts";
 *
 * await using session = await mountHandler({ handler, mountpoint: "mnt" });
 * for await (const { nodeid } of source.changes()) {
 *   await session.notifier.invalidateInode(nodeid);
 * }
 * ```
 *
 * @category Sessions
 */
export class SessionNotifier {
  readonly #notifier: Notifier | string;
  readonly #minor: number;

  /**
   * Makes a notifier.
   *
   * @param notifier Sends the messages, or the reason why that is not possible.
   * @param negotiated The negotiated capabilities.
   */
  constructor(
    notifier: Notifier | string,
    negotiated: Pick<NegotiatedCapabilities, "minor">,
  ) {
    this.#notifier = notifier;
    this.#minor = negotiated.minor;
  }

  /**
   * Drops an inode's cached attributes and the cached data of a range.
   *
   * @param nodeid The inode.
   * @param offset Where the range starts, in bytes.
   * @param length Its length in bytes; 0 for all up to the end.
   */
  invalidateInode(nodeid: bigint, offset = 0, length = 0): Promise<boolean> {
    return this.#send("INVAL_INODE", () => ({
      body: { ino: nodeid, off: BigInt(offset), len: BigInt(length) },
    }));
  }

  /** Drops an inode's cached attributes and keeps its data. */
  invalidateAttributes(nodeid: bigint): Promise<boolean> {
    return this.invalidateInode(nodeid, -1);
  }

  /**
   * Drops a cached name, whether a file exists there or not.
   *
   * @param parent The directory's inode.
   * @param name The name in it.
   */
  invalidateEntry(
    parent: bigint,
    name: Name,
    { expireOnly = false }: InvalidateEntryOptions = {},
  ): Promise<boolean> {
    const flags = expireOnly ? FUSE_NOTIFY_INVAL_ENTRY.EXPIRE_ONLY : 0;
    return this.#send("INVAL_ENTRY", () => ({
      body: { parent, flags },
      name,
    }));
  }

  /**
   * Drops a cached name as deleted: programs that watch the directory receive
   * an event. Refused if the inode is a directory with cached names, or a mount
   * point.
   *
   * @param parent The directory's inode.
   * @param child The inode that had the name.
   * @param name The name.
   */
  deleteEntry(parent: bigint, child: bigint, name: Name): Promise<boolean> {
    return this.#send("DELETE", () => ({ body: { parent, child }, name }));
  }

  /**
   * Puts data into the kernel's page cache.
   *
   * @param nodeid The inode.
   * @param offset Where in the file, in bytes.
   * @param data The bytes; beyond the end of the file, it grows.
   */
  store(nodeid: bigint, offset: number, data: Uint8Array): Promise<boolean> {
    return this.#send("STORE", () => ({
      body: { nodeid, offset: BigInt(offset) },
      data,
    }));
  }

  /** Makes the kernel drop cached inodes that no program uses. */
  prune(nodeids: readonly bigint[]): Promise<boolean> {
    return this.#send("PRUNE", () => ({ nodeids }));
  }

  /**
   * Wakes programs that wait in poll(2) or select(2).
   *
   * @param kh The handle that came with the POLL request.
   */
  wakePoll(kh: bigint): Promise<boolean> {
    return this.#send("POLL", () => ({ body: { kh } }));
  }

  /**
   * Makes the kernel send what it has cached of a file: it sends a NOTIFY_REPLY
   * to the handler, with the data after its struct, after this has resolved.
   *
   * @param nodeid The inode.
   * @param offset Where in the file, in bytes.
   * @param size The most bytes to send.
   * @param unique The `unique` that the NOTIFY_REPLY shall have.
   */
  retrieve(
    nodeid: bigint,
    offset: number,
    size: number,
    unique: bigint,
  ): Promise<boolean> {
    return this.#send("RETRIEVE", () => ({
      body: { notify_unique: unique, nodeid, offset: BigInt(offset), size },
    }));
  }

  /**
   * Makes all cached names stale: the kernel looks each one up again at its next
   * use.
   */
  incrementEpoch(): Promise<boolean> {
    return this.#send("INC_EPOCH", () => ({}));
  }

  /**
   * Makes the kernel send all requests again that are not answered yet, for a
   * handler that has lost them. An answer to the first copy is refused then. It
   * has no effect on requests over io_uring.
   */
  resend(): Promise<boolean> {
    return this.#send("RESEND", () => ({}));
  }

  /** Sends a notification; rejects at once if a value cannot be encoded. */
  #send<N extends NotificationName>(
    name: N,
    parts: () => NotificationParts<N>,
  ): Promise<boolean> {
    let message;
    try {
      message = encodeNotification(name, parts());
    } catch (error) {
      return Promise.reject(error);
    }
    const sent = this.#deliver(name, message);
    // A program that does not await it must not end because the session has.
    sent.catch(() => {});
    return sent;
  }

  async #deliver(
    name: NotificationName,
    message: Uint8Array<ArrayBuffer>,
  ): Promise<boolean> {
    const { since }: NotificationRow = NOTIFICATIONS[name];
    if (this.#minor < since) {
      throw new UserError(
        `Cannot send ${name} to the kernel: it needs FUSE 7.${since}, and this kernel speaks 7.${this.#minor}; use a newer kernel`,
      );
    }
    if (typeof this.#notifier === "string") {
      throw new UserError(
        `Cannot send ${name} to the kernel: ${this.#notifier}`,
      );
    }
    const errno = -await this.#notifier.notify(message);
    if (errno === 0) return true;
    if (errno === ERRNO.ENOENT) return false;
    throw new NotificationFailure(name, errno);
  }
}

const REASONS: Readonly<Record<number, string>> = {
  [ERRNO.ENODEV]: "the session has ended",
  [ERRNO.ENOBUFS]: "too many wait already; await some of them first",
};

/** A notification that was refused. */
class NotificationFailure extends UserError {
  /** The positive error number. */
  readonly errno: number;

  constructor(notification: NotificationName, errno: number) {
    const reason = REASONS[errno] ?? `the kernel refused (${errnoName(errno)})`;
    super(`Cannot send ${notification} to the kernel: ${reason}`);
    this.errno = errno;
  }
}
