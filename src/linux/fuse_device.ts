/**
 * /dev/fuse by system calls: fuse(4).
 *
 * @module
 */

import { ERRNO } from "../protocol/errno.ts";
import type { FuseDevice } from "../queue/fuse_device.ts";
import { BufferPointers, LastBigint, pointerOf } from "./call_arguments.ts";
import { closeDescriptor, OPEN, openDescriptor } from "./descriptor.ts";
import { errno, type Libc, libc } from "./libc.ts";
import { SystemError } from "./system_error.ts";

const DEVICE = "/dev/fuse";

// _IOR(229, 0, uint32_t) of <linux/fuse.h>.
const FUSE_DEV_IOC_CLONE = 0x8004e500n;

// Operations of fcntl(2).
const F_GETFL = 3;
const F_SETFL = 4;

const POLLIN = 1;
const ONE_DESCRIPTOR = 1n;

// A thread in poll(2) keeps a closed descriptor's connection alive. Bounding
// each wait bounds that too, for one cheap call a second.
const LONGEST_WAIT_MS = 1000;

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
  if (libc().ioctl(clone, FUSE_DEV_IOC_CLONE, source) < 0) {
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
  readonly #pollfd: PollIn;
  #blocking: boolean;
  #closed = false;
  #readable: Promise<void> | undefined;

  /**
   * Wraps an open descriptor.
   *
   * @param fd A descriptor of /dev/fuse.
   * @param blocking Whether O_NONBLOCK is off.
   */
  constructor(fd: number, blocking: boolean) {
    this.fd = fd;
    this.#blocking = blocking;
    this.#pollfd = pollIn(fd);
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

  poll(): boolean {
    return this.#libc.poll(this.#pollfd.pointer, ONE_DESCRIPTOR, 0) > 0;
  }

  readable(): Promise<void> {
    return this.#readable ??= this.#waitReadable().finally(() => {
      this.#readable = undefined;
    });
  }

  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    closeDescriptor(this.fd);
  }

  async #waitReadable(): Promise<void> {
    // Its own memory: another thread writes to it while poll() may be called.
    const pollfd = pollIn(this.fd);
    const one = ONE_DESCRIPTOR;
    let ready = 0;
    // An error's number is lost in the other thread: read() will tell it.
    while (ready === 0 && !this.#closed) {
      ready = await this.#libc.poll_nonblocking(
        pollfd.pointer,
        one,
        LONGEST_WAIT_MS,
      );
    }
    // Keeps the memory alive until the last wait has returned.
    pollfd.bytes.fill(0);
  }
}

/** A `struct pollfd` that asks for POLLIN. */
interface PollIn {
  readonly bytes: Uint8Array<ArrayBuffer>;
  readonly pointer: Deno.PointerValue;
}

// struct pollfd { int fd; short events; short revents; }
function pollIn(fd: number): PollIn {
  const bytes = new Uint8Array(new ArrayBuffer(8));
  const view = new DataView(bytes.buffer);
  view.setInt32(0, fd, true);
  view.setInt16(4, POLLIN, true);
  return { bytes, pointer: pointerOf(bytes) };
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
  return openDescriptor(DEVICE, OPEN.RDWR, { advice: adviceOnOpen });
}

function adviceOnOpen(error: number): string | undefined {
  if (error === ERRNO.ENOENT || error === ERRNO.ENODEV) {
    return "load the kernel's module with 'modprobe fuse'";
  }
  return error === ERRNO.EACCES
    ? "run as a user who may read and write it"
    : undefined;
}
