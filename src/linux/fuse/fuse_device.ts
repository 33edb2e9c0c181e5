/**
 * /dev/fuse by system calls: fuse(4).
 *
 * @module
 */

import { ERRNO } from "../../base/errno.ts";
import { FUSE_DEV_IOC } from "../../protocol/device.ts";
import type { FuseDevice } from "../../queue/fuse_device.ts";
import { adviceOnDevice } from "../syscall/advice.ts";
import { BufferPointers, LastBigint } from "../syscall/call_arguments.ts";
import {
  closeDescriptor,
  OPEN,
  openDescriptor,
} from "../syscall/descriptor.ts";
import { errno, type Libc, libc } from "../syscall/libc.ts";
import { Readable } from "../io/readable.ts";
import { SystemError } from "../syscall/system_error.ts";

const DEVICE = "/dev/fuse";

const CLONE = BigInt(FUSE_DEV_IOC.CLONE);

// Operations of fcntl(2).
const F_GETFL = 3;
const F_SETFL = 4;

/**
 * Opens /dev/fuse for a new connection; {@linkcode mountFuse} binds it.
 *
 * @returns A descriptor that blocks.
 * @throws {SystemError} ENOENT or ENODEV without the kernel's fuse module,
 * EACCES without permission on the device, EMFILE, ENFILE.
 */
export function openFuseDevice(): FuseDevice {
  return new LinuxFuseDevice(openDevice(), true);
}

/**
 * Opens another descriptor of the same connection: ioctl
 * `FUSE_DEV_IOC_CLONE`. Each request goes to the one that reads it, which has
 * to answer it.
 *
 * @param fd A descriptor of a mounted connection.
 * @returns A descriptor that blocks.
 * @throws {SystemError} EPERM if `fd` is not mounted (yet, or any more),
 * EINVAL if it is not of /dev/fuse, and the errors of open.
 */
export function cloneFuseDevice(fd: number): FuseDevice {
  const clone = openDevice();
  const source = new Uint32Array(new ArrayBuffer(4));
  source[0] = fd;
  if (libc().ioctl(clone, CLONE, source) < 0) {
    const error = errno();
    closeDescriptor(clone);
    throw new SystemError({
      call: "ioctl",
      action: `clone ${DEVICE} descriptor ${fd}`,
      errno: error,
      advice: error === ERRNO.EPERM
        ? "clone it while its connection is mounted"
        : undefined,
    });
  }
  return new LinuxFuseDevice(clone, true);
}

/**
 * Takes over a descriptor that another thread of this process has opened. One
 * thread uses it, and closes it, from then on.
 *
 * @param fd A descriptor of /dev/fuse.
 * @throws {SystemError} EBADF if it is not open.
 */
export function fuseDeviceFromFd(fd: number): FuseDevice {
  const flags = libc().fcntl(fd, F_GETFL, 0);
  if (flags < 0) {
    throw new SystemError({
      call: "fcntl",
      action: `use descriptor ${fd} as ${DEVICE}`,
      errno: errno(),
    });
  }
  return new LinuxFuseDevice(fd, (flags & OPEN.NONBLOCK) === 0);
}

/** One descriptor of /dev/fuse, used by one thread. */
export class LinuxFuseDevice implements FuseDevice {
  readonly fd: number;
  readonly #libc: Libc = libc();
  readonly #pointers: BufferPointers = new BufferPointers();
  readonly #readLength: LastBigint = new LastBigint();
  readonly #writeLength: LastBigint = new LastBigint();
  readonly #readable: Readable;
  #blocking: boolean;
  #closed = false;

  /**
   * Wraps an open descriptor.
   *
   * @param fd A descriptor of /dev/fuse.
   * @param blocking Whether O_NONBLOCK is off.
   */
  constructor(fd: number, blocking: boolean) {
    this.fd = fd;
    this.#blocking = blocking;
    this.#readable = new Readable(fd);
  }

  read(buffer: Uint8Array<ArrayBuffer>): number {
    const pointer = this.#pointers.of(buffer);
    const length = this.#readLength.of(buffer.byteLength);
    for (;;) {
      const count = this.#libc.read(this.fd, pointer, length);
      if (count >= 0) return count;
      const error = errno();
      if (error !== ERRNO.EINTR) return -error;
    }
  }

  write(buffer: Uint8Array<ArrayBuffer>, length: number): number {
    checkLength(buffer, length);
    const pointer = this.#pointers.of(buffer);
    const size = this.#writeLength.of(length);
    for (;;) {
      const count = this.#libc.write(this.fd, pointer, size);
      if (count >= 0) return count;
      const error = errno();
      if (error !== ERRNO.EINTR) return -error;
    }
  }

  setBlocking(blocking: boolean): void {
    if (blocking === this.#blocking) return;
    // F_SETFL ignores the access mode, and the device has no other flag.
    const flags = blocking ? 0 : OPEN.NONBLOCK;
    if (this.#libc.fcntl(this.fd, F_SETFL, flags) < 0) {
      throw new SystemError({
        call: "fcntl",
        action: `switch O_NONBLOCK of ${DEVICE} descriptor ${this.fd}`,
        errno: errno(),
      });
    }
    this.#blocking = blocking;
  }

  poll(limitMs?: number): boolean {
    return this.#readable.now(limitMs);
  }

  readable(): Promise<void> {
    return this.#readable.later();
  }

  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    closeDescriptor(this.fd);
  }
}

// The kernel would read past the buffer and send out what lies behind.
function checkLength(buffer: Uint8Array, length: number): void {
  if (length < 0 || length > buffer.byteLength) {
    throw new RangeError(
      `Cannot write ${length} bytes to ${DEVICE}: the buffer has ${buffer.byteLength} (pass a length within it)`,
    );
  }
}

function openDevice(): number {
  return openDescriptor(DEVICE, OPEN.RDWR, { advice: adviceOnDevice });
}
