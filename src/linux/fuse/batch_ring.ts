/**
 * The io_uring of a queue over /dev/fuse that reads and answers requests in
 * batches.
 *
 * @module
 */
import type { FuseDevice } from "../../queue/fuse_device.ts";
import { LinuxDeviceSlots } from "../io/device_slots.ts";
import { EventRing } from "../io/event_ring.ts";
import { DEVICE_SLOTS, FILE_SLOTS, type FileRing } from "../io/file_ring.ts";
import { LinuxFileSlots } from "../io/file_slots.ts";
import { BATCH_SLOTS, LinuxBatchSlots } from "./batch_slots.ts";
import { cloneFuseDevice } from "./fuse_device.ts";

/** An io_uring, the owners of its slots, and the descriptor of the batches. */
export interface BatchRing extends FileRing {
  /** What reads and answers requests. */
  readonly batchSlots: LinuxBatchSlots;
  /** The descriptor that they use. It does not block. */
  readonly device: FuseDevice;
}

/**
 * Makes an io_uring for this thread, with another descriptor of a connection.
 *
 * @param fd A descriptor of a mounted connection, which the thread sleeps in.
 * @throws {SystemError} As `cloneFuseDevice()`, io_uring_setup(2), mmap(2).
 */
export function openBatchRing(fd: number): BatchRing {
  const device = cloneFuseDevice(fd);
  let ring: EventRing | null = null;
  try {
    ring = new EventRing(FILE_SLOTS + DEVICE_SLOTS + BATCH_SLOTS);
    ring.registerFiles([device.fd]);
    //= io_uring/rw.c io_rw_init_file(): a READ of a file with O_NONBLOCK fails
    //= with EAGAIN, unless the file was known to support IOCB_NOWAIT when it
    //= was registered. O_NONBLOCK counts as support, and an empty READ would
    //= then wait in the ring. So it is set after the file was registered.
    device.setBlocking(false);
    return {
      ring,
      device,
      batchSlots: new LinuxBatchSlots(ring),
      fileSlots: new LinuxFileSlots(ring, FILE_SLOTS),
      deviceSlots: new LinuxDeviceSlots(ring, fd),
    };
  } catch (error) {
    ring?.close();
    device.close();
    throw error;
  }
}
