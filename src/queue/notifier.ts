/**
 * Notifications: messages to the kernel that answer no request, such as "the
 * contents of this inode have changed". `encodeNotification()` makes them.
 *
 * @module
 */
import { ERRNO } from "../base/errno.ts";

/** Most notifications of a connection that may wait. */
export const NOTIFICATIONS_MAX = 16_384;
/** Most bytes of notifications that may wait: STORE carries data. */
const BYTES_MAX = 32 * 2 ** 20;
/** Most notifications that are handed to the writer at a time. */
const BATCH_MAX = 64;

/**
 * Sends notifications to the kernel, real or simulated.
 *
 * @category Notifications
 */
export interface Notifier {
  /**
   * Sends a whole notification: a message whose `unique` is 0. Notifications of
   * one notifier take effect in the order of the calls. It never blocks the
   * calling thread, although the kernel may wait for requests on the inode that
   * the message names: the thread can answer them meanwhile.
   *
   * @param message Not to be changed until the promise is settled.
   * @returns Resolves when the kernel has acted on it, to 0 or a negative errno:
   * `-ENOENT` if the kernel has nothing cached for the inode or name, `-EINVAL`
   * for a malformed message, `-ENODEV` once the session has ended, `-ENOBUFS` if
   * too many notifications wait already. Never rejects.
   */
  notify(message: Uint8Array<ArrayBuffer>): Promise<number>;
}

/**
 * Writes notifications to a connection.
 *
 * @category Notifications
 */
export interface NotificationWriter {
  /** The most messages that `write()` takes; at least 1. */
  readonly batchMax: number;
  /**
   * Writes messages in order, in another thread.
   *
   * @param messages Whole notifications.
   * @param written Called for each message when the kernel has taken it, with
   * its index and 0 or a negative errno, before the promise resolves.
   * @returns Resolves when all have been written. Never rejects.
   */
  write(
    messages: readonly Uint8Array<ArrayBuffer>[],
    written: (index: number, result: number) => void,
  ): Promise<void>;
}

interface Waiting {
  readonly message: Uint8Array<ArrayBuffer>;
  readonly settle: (result: number) => void;
}

/**
 * The notifications of one connection, in order: a queue of limited length.
 *
 * @category Notifications
 */
export class NotificationQueue implements Notifier {
  readonly #writer: NotificationWriter;
  #waiting: Waiting[] = [];
  #inFlight: Waiting[] = [];
  #bytes = 0;
  #ended = false;

  /** Makes a queue in front of a writer. */
  constructor(writer: NotificationWriter) {
    this.#writer = writer;
  }

  notify(message: Uint8Array<ArrayBuffer>): Promise<number> {
    if (this.#ended) return Promise.resolve(-ERRNO.ENODEV);
    const count = this.#waiting.length + this.#inFlight.length;
    if (count >= NOTIFICATIONS_MAX || this.#bytes > BYTES_MAX) {
      return Promise.resolve(-ERRNO.ENOBUFS);
    }
    this.#bytes += message.length;
    const { promise, resolve: settle } = Promise.withResolvers<number>();
    this.#waiting.push({ message, settle });
    if (this.#inFlight.length === 0) void this.#writeAll();
    return promise;
  }

  /** Ends the queue: what has not reached the writer resolves to `-ENODEV`. */
  end(): void {
    this.#ended = true;
    for (const { settle } of this.#waiting) settle(-ERRNO.ENODEV);
    this.#waiting = [];
  }

  async #writeAll(): Promise<void> {
    const batchMax = Math.min(BATCH_MAX, this.#writer.batchMax);
    while (this.#waiting.length > 0) {
      const batch = this.#inFlight = this.#waiting.splice(0, batchMax);
      const messages = batch.map(({ message }) => message);
      await this.#writer.write(messages, (index, result) => {
        this.#bytes -= messages[index]!.length;
        batch[index]!.settle(result);
      });
    }
    this.#inFlight = [];
  }
}
