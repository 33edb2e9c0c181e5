import { viewOf } from "../../src/protocol/codec.ts";
import { sizeOf } from "../../src/protocol/layout.ts";
import type { MemoryKernel } from "../../src/queue/memory_queue.ts";
import type { Connection } from "./connection.ts";
import type { Dispatcher } from "./dispatch.ts";
import type { QueueLink } from "./queue_link.ts";
import type { DeviceWriter } from "./device_writer.ts";

const OUT_HEADER_SIZE = sizeOf("fuse_out_header");

/** What the kernel does when the server uses a descriptor. */
export class ServerSide implements MemoryKernel {
  readonly #links: readonly QueueLink[];
  readonly #connection: Connection;
  readonly #dispatcher: Dispatcher;
  readonly #desk: DeviceWriter;
  readonly #close: (link: QueueLink) => void;

  /** Puts the parts together. */
  constructor(
    links: readonly QueueLink[],
    connection: Connection,
    dispatcher: Dispatcher,
    desk: DeviceWriter,
    close: (link: QueueLink) => void,
  ) {
    this.#links = links;
    this.#connection = connection;
    this.#dispatcher = dispatcher;
    this.#desk = desk;
    this.#close = close;
  }

  /** The server is in read(2), or has fetched for an entry. */
  offered(index: number): void {
    const link = this.#links[index]!;
    if (!link.open || !link.bound || !this.#connection.connected) return;
    const wasReady = !link.isRing || link.fetched;
    for (;;) {
      const entry = link.channel.offered.shift();
      if (entry < 0) break;
      link.fetched = true;
      this.#dispatcher.await(link, entry);
    }
    // The server frees an entry when it replies and may offer it again at
    // once: its reply has to be out of it before a request goes in.
    this.replied(index);
    this.#dispatcher.feed(link);
    //= fs/fuse/dev_uring.c fuse_uring_do_register(): once every queue has an
    //= entry, whoever waited for that goes on.
    if (!wasReady && link.fetched) this.#connection.wakeAll();
  }

  /** The server has replied; whether that was wanted. */
  replied(index: number): boolean {
    const link = this.#links[index]!;
    let wanted = true;
    for (;;) {
      const number = link.channel.replied.shift();
      if (number < 0) return wanted;
      wanted = this.#desk.takeBack(link, link.channel.entries[number]!);
    }
  }

  /** The server has sent a notification; 0 or a negative errno. */
  notified(index: number, message: Uint8Array): number {
    return Math.min(0, this.write(index, message));
  }

  /** The server has closed a queue. */
  closed(index: number): void {
    this.#close(this.#links[index]!);
  }

  /** Resolves when something was filled in or the queue has ended. */
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
    const errno = this.#desk.write(
      this.#links[index]!,
      viewOf(message),
      message.subarray(OUT_HEADER_SIZE),
      message.length,
    );
    return errno === 0 ? message.length : -errno;
  }
}
