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

/** Sends the messages of a {@linkcode SessionNotifier}. */
export interface NotificationSink {
  /** Writes a whole notification; resolves to whether the kernel accepted it. */
  write(message: Uint8Array<ArrayBuffer>): Promise<boolean>;
}

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
 * refused, mostly because it has nothing cached for that inode or name, and
 * always after the end of the session.
 *
 * The kernel may first wait for requests that are in flight on the inode: for a
 * READ of the pages, or for a LOOKUP, CREATE or UNLINK in the directory. The
 * calling thread is not blocked, so a handler on the same thread can answer
 * them. But a handler that awaits a notification *before it answers* a request
 * on that inode deadlocks, until the program is interrupted or the session
 * ends. Answer first and notify afterwards, or do not await the notification.
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
  readonly #sink: NotificationSink | string;
  readonly #minor: number;
  readonly #trace: ((message: Uint8Array<ArrayBuffer>) => void) | undefined;

  /**
   * Makes a notifier.
   *
   * @param sink Writes the messages, or the reason why that is not possible.
   * @param negotiated The negotiated capabilities.
   * @param trace Receives each message before it is sent.
   */
  constructor(
    sink: NotificationSink | string,
    negotiated: Pick<NegotiatedCapabilities, "minor">,
    trace?: (message: Uint8Array<ArrayBuffer>) => void,
  ) {
    this.#sink = sink;
    this.#minor = negotiated.minor;
    this.#trace = trace;
  }

  /**
   * Drops an inode's cached attributes and the cached data of a range.
   *
   * @param nodeid The inode.
   * @param offset Where the range starts, in bytes.
   * @param length Its length in bytes; 0 for all up to the end.
   */
  invalidateInode(nodeid: bigint, offset = 0, length = 0): Promise<boolean> {
    return this.#send("INVAL_INODE", {
      body: { ino: nodeid, off: BigInt(offset), len: BigInt(length) },
    });
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
    name: string,
    { expireOnly = false }: InvalidateEntryOptions = {},
  ): Promise<boolean> {
    const flags = expireOnly ? FUSE_NOTIFY_INVAL_ENTRY.EXPIRE_ONLY : 0;
    return this.#send("INVAL_ENTRY", { body: { parent, flags }, name });
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
  deleteEntry(parent: bigint, child: bigint, name: string): Promise<boolean> {
    return this.#send("DELETE", { body: { parent, child }, name });
  }

  /**
   * Puts data into the kernel's page cache.
   *
   * @param nodeid The inode.
   * @param offset Where in the file, in bytes.
   * @param data The bytes; beyond the end of the file, it grows.
   */
  store(nodeid: bigint, offset: number, data: Uint8Array): Promise<boolean> {
    return this.#send("STORE", {
      body: { nodeid, offset: BigInt(offset) },
      data,
    });
  }

  /** Makes the kernel drop cached inodes that no program uses. */
  prune(nodeids: readonly bigint[]): Promise<boolean> {
    return this.#send("PRUNE", { nodeids });
  }

  /**
   * Wakes programs that wait in poll(2) or select(2).
   *
   * @param kh The handle that came with the POLL request.
   */
  wakePoll(kh: bigint): Promise<boolean> {
    return this.#send("POLL", { body: { kh } });
  }

  async #send<N extends NotificationName>(
    name: N,
    parts: NotificationParts<N>,
  ): Promise<boolean> {
    const { since }: NotificationRow = NOTIFICATIONS[name];
    if (this.#minor < since) {
      throw new UserError(
        `Cannot send ${name} to the kernel: it needs FUSE 7.${since}, and this kernel speaks 7.${this.#minor}`,
      );
    }
    if (typeof this.#sink === "string") {
      throw new UserError(`Cannot send ${name} to the kernel: ${this.#sink}`);
    }
    const message = encodeNotification(name, parts);
    this.#trace?.(message);
    return await this.#sink.write(message);
  }
}
