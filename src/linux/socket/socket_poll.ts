/**
 * Waiting for many sockets by one poll(2), in one thread of Deno's pool. A thread
 * for each of them would let idle clients take every thread of the pool.
 *
 * @module
 */
import { POLL } from "../../base/file_flags.ts";
import { closeDescriptor, OPEN } from "../syscall/descriptor.ts";
import { pointerOf } from "../syscall/ffi_values.ts";
import { errno, libc } from "../syscall/libc.ts";
import { pollInPool } from "../syscall/poll.ts";
import { SystemError } from "../syscall/system_error.ts";

/** Limits a poll, in case that nothing wakes it. */
const LONGEST_POLL_MS = 1000;
// struct pollfd { int fd; short events; short revents; }
const POLLFD_SIZE = 8;
const COUNTER_SIZE = 8n;

/** One wait. */
interface Wait {
  readonly fd: number;
  readonly events: number;
  readonly deadline: number;
  readonly resolve: (isReady: boolean) => void;
}

/** Waits for sockets. */
export class SocketPoll {
  /** An eventfd that is signalled when the set of waits has changed. */
  readonly #wake: number;
  readonly #waits = new Set<Wait>();
  #running: Promise<void> | null = null;
  #isClosed = false;

  /**
   * Makes its eventfd.
   *
   * @throws {SystemError} EMFILE, ENFILE, ENOMEM.
   */
  constructor() {
    this.#wake = libc().eventfd(0, OPEN.CLOEXEC | OPEN.NONBLOCK);
    if (this.#wake >= 0) return;
    throw new SystemError({
      call: "eventfd",
      action: "wait for Unix sockets",
      errno: errno(),
    });
  }

  /**
   * Waits for one socket.
   *
   * @param fd The socket; `release()` it before closing it.
   * @param events Values of `POLL`, ORed.
   * @param deadline The latest time of `performance.now()`; may be infinite.
   * @returns Whether one of the events, an error or a hang-up occurred in time.
   */
  wait(fd: number, events: number, deadline: number): Promise<boolean> {
    if (this.#isClosed) return Promise.resolve(false);
    const { promise, resolve } = Promise.withResolvers<boolean>();
    this.#waits.add({ fd, events, deadline, resolve });
    this.#changed();
    return promise;
  }

  /** Ends every wait for a socket, as if its time were up. */
  release(fd: number): void {
    for (const wait of this.#waits) {
      if (wait.fd === fd) this.#end(wait, false);
    }
    this.#changed();
  }

  /** Ends every wait. Resolves when no thread waits any more. */
  async close(): Promise<void> {
    if (this.#isClosed) return;
    this.#isClosed = true;
    for (const wait of this.#waits) this.#end(wait, false);
    this.#changed();
    await this.#running;
    closeDescriptor(this.#wake);
  }

  #changed(): void {
    if (this.#running !== null) {
      const one = new Uint8Array(new BigUint64Array([1n]).buffer);
      libc().write(this.#wake, pointerOf(one), COUNTER_SIZE);
    } else if (this.#waits.size > 0) {
      this.#running = this.#run();
    }
  }

  async #run(): Promise<void> {
    while (this.#waits.size > 0) await this.#poll();
    this.#running = null;
  }

  async #poll(): Promise<void> {
    const waits = [...this.#waits];
    const bytes = this.#pollfds(waits);
    const earliest = Math.min(...waits.map(({ deadline }) => deadline));
    const left = Math.ceil(earliest - performance.now());
    const ms = Math.min(Math.max(left, 0), LONGEST_POLL_MS);
    const count = BigInt(waits.length + 1);
    await pollInPool(pointerOf(bytes), count, ms);
    const view = new DataView(bytes.buffer);
    const occurred = (index: number) =>
      view.getInt16(index * POLLFD_SIZE + 6, true) !== 0;
    if (occurred(0)) this.#clear();
    const now = performance.now();
    for (const [i, wait] of waits.entries()) {
      // It may have been released meanwhile.
      if (!this.#waits.has(wait)) continue;
      if (occurred(i + 1)) this.#end(wait, true);
      else if (wait.deadline <= now) this.#end(wait, false);
    }
  }

  #end(wait: Wait, isReady: boolean): void {
    this.#waits.delete(wait);
    wait.resolve(isReady);
  }

  #pollfds(waits: readonly Wait[]): Uint8Array<ArrayBuffer> {
    const view = new DataView(
      new ArrayBuffer((waits.length + 1) * POLLFD_SIZE),
    );
    const set = (index: number, fd: number, events: number) => {
      view.setInt32(index * POLLFD_SIZE, fd, true);
      view.setInt16(index * POLLFD_SIZE + 4, events, true);
    };
    set(0, this.#wake, POLL.IN);
    for (const [i, { fd, events }] of waits.entries()) set(i + 1, fd, events);
    return new Uint8Array(view.buffer);
  }

  /** Makes the eventfd not signalled. */
  #clear(): void {
    const counter = new Uint8Array(new ArrayBuffer(8));
    libc().read(this.#wake, pointerOf(counter), COUNTER_SIZE);
  }
}
