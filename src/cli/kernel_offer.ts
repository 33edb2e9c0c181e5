import type {
  OfferedCapabilities,
  WantedCapabilities,
} from "../protocol/init.ts";
import { DeviceQueue } from "../queue/device_queue.ts";
import { handshake } from "../queue/handshake.ts";
import { openFuseDevice } from "../linux/fuse/fuse_device.ts";
import { connectUnmounted } from "../linux/mount/fs_context.ts";

const WISH: WantedCapabilities = {
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
  readonly offered: OfferedCapabilities | string;
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
    return { device: message, offered: message };
  }
  const queue = new DeviceQueue(device, { maxPayload: 4096 });
  try {
    using _ = connectUnmounted(device.fd);
    const { offered } = await handshake(queue, WISH);
    return { device: null, offered };
  } catch (error) {
    return { device: null, offered: (error as Error).message };
  } finally {
    queue.close();
  }
}
