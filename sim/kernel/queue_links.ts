import { MemoryChannel } from "../../src/queue/memory_channel.ts";
import type { SimKernelOptions } from "./kernel_options.ts";
import { QueueLink } from "./queue_link.ts";

/**
 * Makes the memory of a mount's queues, and the kernel's end of each.
 *
 * @param options How many queues, how large, and of which transport.
 * @returns The queues by number; with an io_uring the last one is for control.
 */
export function makeLinks(options: SimKernelOptions): QueueLink[] {
  const { queues = 1, capacity = 16, maxPayload = 1 << 20 } = options;
  const { uring = false, bound = Infinity } = options;
  const kernelDoorbell = new Int32Array(new SharedArrayBuffer(4));
  const count = uring ? queues + 1 : queues;
  return Array.from({ length: count }, (_, index) => {
    const isRing = uring && index < queues;
    const usual = options.layout ?? "contiguous";
    const layout = isRing ? "separate" : uring ? "contiguous" : usual;
    const channel = { index, capacity, maxPayload, layout, kernelDoorbell };
    const link = new QueueLink(MemoryChannel.create(channel), isRing);
    link.bound = index < bound || isRing || uring;
    return link;
  });
}
