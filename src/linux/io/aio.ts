/**
 * Linux's native asynchronous I/O, io_setup(2), used for one property: the result
 * of a write(2) that another thread makes, errno included, comes back in memory.
 * The kernel writes to devices such as /dev/fuse inside of io_submit(2), one
 * message after another: aio_write() of fs/aio.c.
 *
 * @module
 */

import { ERRNO } from "../../base/errno.ts";
import { CALLS } from "../syscall/architecture.ts";
import { pointerOf } from "../syscall/ffi_values.ts";
import { errno, type Libc, libc } from "../syscall/libc.ts";
import { SystemError } from "../syscall/system_error.ts";

// struct iocb of linux/aio_abi.h.
const IOCB = { size: 64, DATA: 0, OPCODE: 16, FD: 20, BUF: 24, NBYTES: 32 };
const IOCB_CMD_PWRITE = 1;
// struct io_event: data, obj, res, res2.
const EVENT = { size: 32, DATA: 0, RES: 16 };

/** Milliseconds between two looks for results while a call takes long. */
const LOOK_MS = 10;

/** Writes messages to one descriptor, in order, in a thread of Deno's pool. */
export class AioWriter {
  /** The most messages at a time. */
  readonly batchMax: number;
  readonly #fd: number;
  readonly #libc: Libc = libc();
  readonly #context: bigint;
  readonly #iocbs: Uint8Array<ArrayBuffer>;
  readonly #list: BigUint64Array<ArrayBuffer>;
  readonly #events: Uint8Array<ArrayBuffer>;
  #closed = false;

  /**
   * Sets up a context.
   *
   * @param fd The descriptor, which stays open until `close()`.
   * @param batchMax The most messages at a time.
   * @throws {SystemError} EAGAIN if `fs.aio-max-nr` is used up, ENOSYS on a
   * kernel without asynchronous I/O, ENOMEM.
   */
  constructor(fd: number, batchMax: number) {
    this.#fd = fd;
    this.batchMax = batchMax;
    const context = new BigUint64Array(1);
    if (this.#libc.io_setup(BigInt(CALLS.io_setup), batchMax, context) < 0) {
      const error = errno();
      throw new SystemError({
        call: "io_setup",
        action: "set up asynchronous I/O",
        errno: error,
        advice: error === ERRNO.EAGAIN
          ? "raise the sysctl fs.aio-max-nr"
          : undefined,
      });
    }
    this.#context = context[0]!;
    this.#iocbs = new Uint8Array(IOCB.size * batchMax);
    this.#events = new Uint8Array(EVENT.size * batchMax);
    const first = addressOf(this.#iocbs);
    this.#list = BigUint64Array.from(
      { length: batchMax },
      (_, index) => first + BigInt(IOCB.size * index),
    );
  }

  /**
   * Writes messages. One call at a time.
   *
   * @param messages At most `batchMax`.
   * @param written Called with the index of each message, and 0 or a negative
   * errno.
   */
  async write(
    messages: readonly Uint8Array<ArrayBuffer>[],
    written: (index: number, result: number) => void,
  ): Promise<void> {
    const left = new Set(messages.keys());
    const collect = () => this.#collect(left, messages, written);
    // The kernel may wait at one message: those before it are told meanwhile.
    const timer = setInterval(collect, LOOK_MS);
    messages.forEach((message, index) => this.#prepare(index, message));
    const list = pointerOf(new Uint8Array(this.#list.buffer));
    const count = BigInt(messages.length);
    await this.#libc.io_submit_nonblocking(
      BigInt(CALLS.io_submit),
      this.#context,
      count,
      list,
    );
    clearInterval(timer);
    collect();
    // The kernel takes all of them, unless it has no memory.
    for (const index of left) written(index, -ERRNO.ENOMEM);
  }

  /** Frees the context. No write may be in flight. Idempotent. */
  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#libc.io_destroy(BigInt(CALLS.io_destroy), this.#context);
  }

  #prepare(index: number, message: Uint8Array<ArrayBuffer>): void {
    const iocb = new DataView(this.#iocbs.buffer, IOCB.size * index, IOCB.size);
    iocb.setBigUint64(IOCB.DATA, BigInt(index), true);
    iocb.setUint16(IOCB.OPCODE, IOCB_CMD_PWRITE, true);
    iocb.setUint32(IOCB.FD, this.#fd, true);
    iocb.setBigUint64(IOCB.BUF, addressOf(message), true);
    iocb.setBigUint64(IOCB.NBYTES, BigInt(message.byteLength), true);
  }

  /** Takes the results that have come. Keeps the messages alive until then. */
  #collect(
    left: Set<number>,
    messages: readonly Uint8Array<ArrayBuffer>[],
    written: (index: number, result: number) => void,
  ): void {
    const count = this.#libc.io_getevents(
      BigInt(CALLS.io_getevents),
      this.#context,
      0n,
      BigInt(this.batchMax),
      pointerOf(this.#events),
      null,
    );
    const view = new DataView(this.#events.buffer);
    for (let event = 0; event < count; event++) {
      const at = EVENT.size * event;
      const index = Number(view.getBigUint64(at + EVENT.DATA, true));
      const result = Number(view.getBigInt64(at + EVENT.RES, true));
      left.delete(index);
      written(index, result === messages[index]!.byteLength ? 0 : result);
    }
  }
}

function addressOf(view: Uint8Array): bigint {
  return BigInt(Deno.UnsafePointer.value(pointerOf(view)));
}
