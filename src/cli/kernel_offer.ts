import type { InitOffer, InitWish } from "../protocol/init.ts";
import { DeviceQueue } from "../queue/device_queue.ts";
import { handshake } from "../queue/handshake.ts";
import { openFuseDevice } from "../linux/fuse/fuse_device.ts";
import { connectPrivately } from "../linux/mount/private_connection.ts";

const WISH: InitWish = {
  flags: [],
  maxWrite: 4096,
  maxBackground: 1,
  congestionThreshold: 1,
};

/** What became of asking the kernel. */
export interface KernelOffer {
  /** Why /dev/fuse cannot be used; `null` if it can be opened. */
  readonly device: string | null;
  /** What the kernel offered, or why it could not be asked. */
  readonly offer: InitOffer | string;
}

/**
 * Asks the kernel what it offers to a FUSE server, by starting a connection
 * that is mounted nowhere.
 */
export async function askKernel(): Promise<KernelOffer> {
  let device;
  try {
    device = openFuseDevice();
  } catch (error) {
    const { message } = error as Error;
    return { device: message, offer: message };
  }
  const queue = new DeviceQueue(device, { index: 0, maxPayload: 4096 });
  try {
    using _ = connectPrivately(device.fd);
    const { offer } = await handshake(queue, WISH);
    return { device: null, offer };
  } catch (error) {
    return { device: null, offer: (error as Error).message };
  } finally {
    queue.close();
  }
}
