import { LinuxDeviceSlots } from "./device_slots.ts";
import { EventRing } from "./event_ring.ts";
import { LinuxFileSlots } from "./file_slots.ts";

/** System calls on files that may be in flight at once. */
export const FILE_SLOTS = 62;
/** Slots that watch the descriptor. */
export const DEVICE_SLOTS = 2;

/** An io_uring for file I/O, and the owners of its slots. */
export interface FileRing {
  /** The io_uring. */
  readonly ring: EventRing;
  /** File I/O. */
  readonly fileSlots: LinuxFileSlots;
  /** What watches the descriptor. */
  readonly deviceSlots: LinuxDeviceSlots;
}

/**
 * Makes an io_uring for the file I/O of this thread, beside a descriptor that
 * the thread reads.
 *
 * @param fd The descriptor.
 * @throws {SystemError} As io_uring_setup(2) and mmap(2).
 */
export function openFileRing(fd: number): FileRing {
  const ring = new EventRing(FILE_SLOTS + DEVICE_SLOTS);
  return {
    ring,
    fileSlots: new LinuxFileSlots(ring, FILE_SLOTS),
    deviceSlots: new LinuxDeviceSlots(ring, fd),
  };
}
