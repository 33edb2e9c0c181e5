import { ERRNO } from "../../base/errno.ts";
import type {
  ByteStream,
  StreamOwner,
  Ticking,
} from "../../event/byte_stream.ts";
import type { CompletedOperation } from "../../event/ring_events.ts";
import { closeDescriptor } from "../syscall/descriptor.ts";
import { pointerOf } from "../syscall/ffi_values.ts";
import { errno, libc } from "../syscall/libc.ts";
import { MSG_NOSIGNAL, type SocketWait } from "./socket.ts";
import type { SocketPoll } from "./socket_poll.ts";

const TICK_MS = 1000;

/**
 * A stream of a thread without an io_uring, such as the main thread: it waits in
 * Deno's pool, and its requests are answered as promises.
 */
export class PolledStream implements ByteStream {
  readonly #fd: number;
  readonly #wait: SocketWait;
  readonly #poll: SocketPoll;
  readonly #owner: StreamOwner;
  readonly #timers = new Set<ReturnType<typeof setInterval>>();
  #isClosed = false;

  /** Uses a non-blocking socket, and closes it and its poll. */
  constructor(
    fd: number,
    wait: SocketWait,
    poll: SocketPoll,
    owner: StreamOwner,
  ) {
    this.#fd = fd;
    this.#wait = wait;
    this.#poll = poll;
    this.#owner = owner;
  }

  send(buffer: Uint8Array, start: number, length: number): void {
    void this.#sendAll(buffer, start, length);
  }

  receive(buffer: Uint8Array, start: number, length: number): void {
    void this.#receiveSome(buffer, start, length);
  }

  started(): void {}

  completed(operation: CompletedOperation): void {
    operation.settle();
  }

  expectsAhead(_isExpected: boolean): void {}

  everySecond(owner: Ticking): void {
    const timer = setInterval(() => {
      if (!owner.tick()) this.#endTimer(timer);
    }, TICK_MS);
    this.#timers.add(timer);
  }

  close(discards: boolean = false): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    for (const timer of this.#timers) this.#endTimer(timer);
    this.#wait.end(discards);
    closeDescriptor(this.#fd);
    void this.#poll.close();
  }

  #endTimer(timer: ReturnType<typeof setInterval>): void {
    clearInterval(timer);
    this.#timers.delete(timer);
  }

  async #sendAll(buffer: Uint8Array, start: number, length: number) {
    for (let done = 0; done < length && !this.#isClosed;) {
      const part = buffer.subarray(start + done, start + length);
      const put = libc().send(
        this.#fd,
        part as Uint8Array<ArrayBuffer>,
        BigInt(part.length),
        MSG_NOSIGNAL,
      );
      if (put > 0) {
        done += put;
        continue;
      }
      const error = put < 0 ? errno() : ERRNO.EPIPE;
      if (error === ERRNO.EINTR) continue;
      if (error !== ERRNO.EAGAIN) {
        return this.#ended(() => this.#owner.sent(-error));
      }
      await this.#wait.writable(Infinity);
    }
    // Never within `send()`, so that its caller has noted that it sends.
    await null;
    this.#ended(() => this.#owner.sent(0));
  }

  async #receiveSome(buffer: Uint8Array, start: number, length: number) {
    await null;
    while (!this.#isClosed) {
      const part = buffer.subarray(start, start + length);
      const at = pointerOf(part as Uint8Array<ArrayBuffer>);
      const got = libc().read(this.#fd, at, BigInt(length));
      if (got >= 0) return this.#ended(() => this.#owner.received(got));
      const error = errno();
      if (error === ERRNO.EINTR) continue;
      if (error !== ERRNO.EAGAIN) {
        return this.#ended(() => this.#owner.received(-error));
      }
      await this.#wait.readable();
    }
  }

  #ended(tell: () => void): void {
    if (!this.#isClosed) tell();
  }
}
