/**
 * /dev/fuse by system calls: fuse(4).
 *
 * @module
 */

import { ERRNO } from "../../base/errno.ts";
import { encodeStruct } from "../../protocol/codec.ts";
import { FUSE_DEV_IOC } from "../../protocol/device.ts";
import type { FuseDevice } from "../../queue/fuse_device.ts";
import {
  closeDescriptor,
  OPEN,
  openDescriptor,
} from "../syscall/descriptor.ts";
import { BufferPointers, LastBigint } from "../syscall/ffi_values.ts";
import { errno, type Libc, libc } from "../syscall/libc.ts";
import { Readable } from "../syscall/poll.ts";
import { SystemError } from "../syscall/system_error.ts";

const DEVICE = "/dev/fuse";

const CLONE = BigInt(FUSE_DEV_IOC.CLONE);
const BACKING_OPEN = BigInt(FUSE_DEV_IOC.BACKING_OPEN);
const BACKING_CLOSE = BigInt(FUSE_DEV_IOC.BACKING_CLOSE);

// Operations of fcntl(2).
const F_GETFL = 3;
const F_SETFL = 4;

/**
 * Opens /dev/fuse for a new connection, which {@linkcode mountBySyscall} mounts.
 *
 * @returns A blocking descriptor.
 * @throws {SystemError} ENOENT or ENODEV without the kernel's fuse module,
 * EACCES without permission for the device, EMFILE, ENFILE.
 */
export function openFuseDevice(): FuseDevice {
  return new LinuxFuseDevice(openDevice(), true);
}

/**
 * Opens another descriptor of a connection: ioctl FUSE_DEV_IOC_CLONE. A request
 * has to be answered on the descriptor that it was read from.
 *
 * @param fd A descriptor of a mounted connection.
 * @returns A blocking descriptor.
 * @throws {SystemError} EPERM if the connection is not mounted, EINVAL if `fd`
 * is not a descriptor of /dev/fuse, and the errnos of open(2).
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
      action: `clone descriptor ${fd} of ${DEVICE}`,
      errno: error,
      advice: error === ERRNO.EPERM
        ? "its connection is not mounted"
        : undefined,
    });
  }
  return new LinuxFuseDevice(clone, true);
}

/**
 * Wraps a descriptor that another thread of this process has opened. From then
 * on only the caller uses and closes it.
 *
 * @param fd A descriptor of /dev/fuse.
 * @throws {SystemError} EBADF if it is not open.
 */
export function fuseDeviceFromFd(fd: number): FuseDevice {
  const flags = libc().fcntl(fd, F_GETFL, 0);
  if (flags < 0) {
    throw new SystemError({
      call: "fcntl",
      action: `use descriptor ${fd} of ${DEVICE}`,
      errno: errno(),
    });
  }
  return new LinuxFuseDevice(fd, (flags & OPEN.NONBLOCK) === 0);
}

/**
 * Registers a file that the kernel reads and writes without the server: ioctl
 * FUSE_DEV_IOC_BACKING_OPEN, fuse_backing_open() of fs/fuse/backing.c. The
 * connection keeps the file open until it ends.
 *
 * @param device A descriptor of the connection, after INIT.
 * @param file A descriptor of a regular file.
 * @returns The `backing_id` for replies to OPEN, at least 1.
 * @throws {SystemError} EPERM without CAP_SYS_ADMIN or if FUSE_PASSTHROUGH is not
 * negotiated, ELOOP for a file on a stacked file system, EINVAL if it is not a
 * regular file.
 */
export function openBackingFile(device: number, file: number): number {
  const map = encodeStruct("fuse_backing_map", { fd: file });
  const id = libc().ioctl(device, BACKING_OPEN, map);
  if (id > 0) return id;
  const error = errno();
  throw new SystemError({
    call: "ioctl",
    action: "register the image for passthrough",
    errno: error,
    advice: adviceOnBacking(error),
  });
}

/**
 * Ends the registration of a file for passthrough: FUSE_DEV_IOC_BACKING_CLOSE.
 * Files that programs have open keep it open.
 *
 * @param device A descriptor of the connection.
 * @param id What {@linkcode openBackingFile} returned.
 */
export function closeBackingFile(device: number, id: number): void {
  const argument = new Uint32Array(new ArrayBuffer(4));
  argument[0] = id;
  libc().ioctl(device, BACKING_CLOSE, argument);
}

function adviceOnBacking(error: number): string | undefined {
  switch (error) {
    case ERRNO.EPERM:
      return "passthrough needs CAP_SYS_ADMIN in the initial user namespace";
    case ERRNO.ELOOP:
      return "the image must not be on a stacked file system such as overlayfs";
    default:
      return undefined;
  }
}

/** Advice on errors of /dev/fuse and of mounting in a container. */
export const ADVICE_ON_CONTAINERS =
  "in a container: start it with --device /dev/fuse --cap-add SYS_ADMIN";

/**
 * Advice if /dev/fuse cannot be opened.
 *
 * @param errno The errno of open(2).
 */
function adviceOnDevice(errno: number): string | undefined {
  switch (errno) {
    case ERRNO.ENOENT:
    case ERRNO.ENODEV:
    case ERRNO.ENXIO:
      return `load the kernel's module with 'modprobe fuse'; ${ADVICE_ON_CONTAINERS}`;
    case ERRNO.EACCES:
      return "as root, run 'chmod 0666 /dev/fuse'";
    case ERRNO.EPERM:
      return ADVICE_ON_CONTAINERS;
    default:
      return undefined;
  }
}

/** A descriptor of /dev/fuse, used by one thread. */
class LinuxFuseDevice implements FuseDevice {
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
   * @param blocking Whether it blocks: O_NONBLOCK is off.
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
    // F_SETFL ignores the access mode, and no other flag is in use.
    const flags = blocking ? 0 : OPEN.NONBLOCK;
    if (this.#libc.fcntl(this.fd, F_SETFL, flags) < 0) {
      throw new SystemError({
        call: "fcntl",
        action: `switch O_NONBLOCK of descriptor ${this.fd} of ${DEVICE}`,
        errno: errno(),
      });
    }
    this.#blocking = blocking;
  }

  poll(limitMs?: number): boolean {
    return this.#readable.poll(limitMs);
  }

  readable(): Promise<void> {
    return this.#readable.wait();
  }

  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    closeDescriptor(this.fd);
  }
}

// The kernel would read beyond the buffer.
function checkLength(buffer: Uint8Array, length: number): void {
  if (length < 0 || length > buffer.byteLength) {
    throw new RangeError(
      `Cannot write ${length} bytes to ${DEVICE}: the buffer has ${buffer.byteLength}`,
    );
  }
}

function openDevice(): number {
  return openDescriptor(DEVICE, OPEN.RDWR, { advice: adviceOnDevice });
}
