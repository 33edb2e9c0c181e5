import type { FuseDevice } from "../queue/fuse_device.ts";
import { cloneFuseDevice } from "../linux/fuse/fuse_device.ts";
import { SystemError } from "../linux/syscall/system_error.ts";

/** The descriptors that queues read from. */
export interface QueueDevices {
  /** One for each queue; the connection's first one comes first. */
  readonly devices: readonly FuseDevice[];
  /** Why there is one only, though more were asked for; else `null`. */
  readonly reason: string | null;
}

/**
 * Clones a connection's descriptor, once for each further queue. Where not all
 * clones can be had, there are none: one queue then serves.
 *
 * @param device The connection's first descriptor.
 * @param queues How many queues are asked for.
 */
export function devicesOf(device: FuseDevice, queues: number): QueueDevices {
  const devices = [device];
  try {
    while (devices.length < queues) devices.push(cloneFuseDevice(device.fd));
    return { devices, reason: null };
  } catch (error) {
    for (const clone of devices.slice(1)) clone.close();
    if (!(error instanceof SystemError)) throw error;
    return { devices: [device], reason: error.message };
  }
}
