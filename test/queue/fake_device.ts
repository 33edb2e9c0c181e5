import { assert } from "@std/assert";
import { ERRNO } from "../../src/base/errno.ts";
import type { FuseDevice } from "../../src/queue/fuse_device.ts";

/** A descriptor of /dev/fuse in memory, under the control of a test. */
export class FakeDevice implements FuseDevice {
  readonly fd = 7;
  readonly pending: (Uint8Array | number)[];
  readonly blocked: boolean[] = [];
  readonly sleeps: number[] = [];
  written: Uint8Array[];
  closes = 0;
  smallest = Infinity;
  writeResult = 0;
  /** Errnos of the next calls of write(2), one each. */
  readonly refusals: number[] = [];
  endErrno = 0;
  #blocking = true;
  #wake: (() => void)[] = [];

  /**
   * A descriptor of a new connection, or a clone of another descriptor: both
   * have the same requests, and the replies to both are in one list.
   */
  constructor(other?: FakeDevice) {
    this.pending = other?.pending ?? [];
    this.written = other?.written ?? [];
  }

  read(buffer: Uint8Array<ArrayBuffer>): number {
    this.smallest = Math.min(this.smallest, buffer.length);
    this.blocked.push(this.#blocking);
    const message = this.pending.shift();
    if (typeof message === "number") return -message;
    if (message === undefined) {
      if (this.endErrno !== 0) return -this.endErrno;
      assert(!this.#blocking, "read(2) would block forever");
      return -ERRNO.EAGAIN;
    }
    buffer.fill(0xa5);
    buffer.set(message);
    return message.length;
  }

  write(buffer: Uint8Array<ArrayBuffer>, length: number): number {
    if (this.closes > 0) return -ERRNO.EBADF;
    const message = buffer.slice(0, length);
    const refusal = this.refusals.shift();
    if (refusal !== undefined) return -refusal;
    if (this.writeResult < 0) return this.writeResult;
    if (this.endErrno !== 0) return -ERRNO.ENOENT;
    this.written.push(message);
    return length;
  }

  setBlocking(blocking: boolean): void {
    this.#blocking = blocking;
  }

  poll(limitMs?: number): boolean {
    this.sleeps.push(limitMs ?? 0);
    return this.pending.length > 0 || this.endErrno !== 0;
  }

  readable(): Promise<void> {
    if (this.poll()) return Promise.resolve();
    return new Promise((resolve) => this.#wake.push(resolve));
  }

  close(): void {
    this.closes++;
  }

  push(message: Uint8Array | number): void {
    this.pending.push(message);
    this.wake();
  }

  wake(): void {
    for (const wake of this.#wake.splice(0)) wake();
  }
}
