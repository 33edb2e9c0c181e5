import type { NodeStats } from "./node_fs.ts";

/** The inode numbers of one device lie below this, times the device. */
const DEVICE_SHIFT = 48n;

/**
 * Inode numbers that stay the same when a node is forgotten: those of the host.
 * Files of further devices, which a mount shows as one, get numbers of their own.
 */
export class InodeNumbers {
  readonly #devices = new Map<number, bigint>();

  /**
   * The number of a file; none if the object is in memory. Such objects may have
   * the same number for several files, and their nodes are kept, so the numbers
   * of the layer stay.
   */
  of(stats: NodeStats): { readonly ino?: bigint } {
    const ino = BigInt(stats.ino ?? 0);
    if (isInMemory(stats) || ino === 0n) return {};
    const dev = Number(stats.dev);
    const device = this.#devices.get(dev) ?? BigInt(this.#devices.size);
    this.#devices.set(dev, device);
    return { ino: BigInt.asUintN(64, ino + (device << DEVICE_SHIFT)) };
  }
}

/** Whether a file is in the memory of a library, and so on no device. */
export function isInMemory({ dev = 0 }: Pick<NodeStats, "dev">): boolean {
  return Number(dev) === 0;
}
