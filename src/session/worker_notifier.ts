import { ERRNO } from "../base/errno.ts";
import { NOTIFICATIONS_MAX, type Notifier } from "../queue/notifier.ts";

/** A notification that a Worker hands to the main thread. */
export interface NotifyMessage {
  readonly kind: "notify";
  /** Its number in this Worker. */
  readonly id: number;
  /** The whole message. */
  readonly message: Uint8Array<ArrayBuffer>;
}

/** What became of a notification. */
export interface NotifiedMessage {
  readonly kind: "notified";
  /** Its number in this Worker. */
  readonly id: number;
  /** As `Notifier.notify()` resolves. */
  readonly result: number;
}

/**
 * Sends the notifications of a Worker through the main thread, which keeps those
 * of all Workers in order and does not sleep in a queue.
 */
export class WorkerNotifier implements Notifier {
  readonly #post: (message: NotifyMessage) => void;
  readonly #waiting: Map<number, (result: number) => void> = new Map();
  #last = 0;

  /** Makes a notifier; `post` sends a message to the main thread. */
  constructor(post: (message: NotifyMessage) => void) {
    this.#post = post;
  }

  notify(message: Uint8Array<ArrayBuffer>): Promise<number> {
    // Here too, because messages between threads queue up without a limit.
    if (this.#waiting.size >= NOTIFICATIONS_MAX) {
      return Promise.resolve(-ERRNO.ENOBUFS);
    }
    const { promise, resolve } = Promise.withResolvers<number>();
    const id = ++this.#last;
    this.#waiting.set(id, resolve);
    this.#post({ kind: "notify", id, message });
    return promise;
  }

  /** Settles a notification, when the main thread has answered. */
  notified({ id, result }: NotifiedMessage): void {
    this.#waiting.get(id)?.(result);
    this.#waiting.delete(id);
  }
}
