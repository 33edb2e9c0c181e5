/**
 * How much a session needs of what the system limits. The figures were measured
 * with Deno 2.9 on x86_64: `test/mount/limits_test.ts` sets each limit to what is
 * needed here, and uses the export.
 *
 * @module
 */
import { largeSlotSize } from "../queue/slot.ts";
import { SLAB_SIZE } from "../queue/slot_pool.ts";
import { queueMemoryOf } from "./queue_memory.ts";

const MIB = 2 ** 20;
const GIB = 2 ** 30;

/**
/**
 * Descriptors of a queue: 6 of Deno's Worker, two clones of /dev/fuse, the
 * image, an io_uring and its eventfd, the two ends of a pipe.
 */
export const DESCRIPTORS_PER_QUEUE = 13;
/**
 * With direct I/O, the image is open through the page cache too, and there is no
 * pipe.
 */
export const DESCRIPTORS_PER_DIRECT_QUEUE = 12;
/**
 * Descriptors of the session itself: the image and its locks, /dev/fuse,
 * notifications, the mount and the unmount, the control socket and its clients,
 * the pidfile.
 */
export const DESCRIPTORS_PER_SESSION = 24;

/**
 * Threads of a queue: the Worker, two of Deno's pool, one of the io_uring, which
 * starts more if it can.
 */
export const THREADS_PER_QUEUE = 4;
/** Threads of the session itself: Deno's pool for the main thread. */
export const THREADS_PER_SESSION = 4;

/**
 * Address space of a queue: V8 reserves 911 MiB for a Worker; stacks and heaps
 * of the allocator take the rest.
 */
export const ADDRESS_SPACE_PER_QUEUE = GIB;
/** Address space of the session itself. */
export const ADDRESS_SPACE_PER_SESSION = GIB / 2;
/**
 * Private writable memory of a queue: 532 MiB of its address space, mostly
 * unused.
 */
export const DATA_PER_QUEUE = 640 * MIB;
/** Private writable memory of the session itself. */
export const DATA_PER_SESSION = 256 * MIB;

/**
 * Background requests that an export needs to be fast: those that the kernel
 * sends by itself, such as read-ahead and asynchronous direct I/O.
 */
export const BACKGROUND_REQUESTS = 64;

/** What a session is started with. */
export interface Serving {
  /** Queues, each of which a Worker serves; 0 if the calling thread serves. */
  readonly workers: number;
  /** Bytes that requests and replies may take; `null` for the default. */
  readonly queueMemory: number | null;
  /** Largest payload of a READ or WRITE in bytes. */
  readonly maxPayload: number;
  /** Whether the image is used by direct I/O. */
  readonly direct: boolean;
}

/** What a session takes, besides what the process has taken before. */
export interface Needs {
  /** Descriptors. */
  readonly descriptors: number;
  /** Threads. */
  readonly threads: number;
  /** Bytes of address space. */
  readonly addressSpace: number;
  /** Bytes of private writable memory, most of which is never used. */
  readonly data: number;
  /** Bytes of memory that are locked at the start, over /dev/fuse. */
  readonly locked: number;
}

/** What a session takes. */
export function needsOf(serving: Serving): Needs {
  const { workers, queueMemory, maxPayload, direct } = serving;
  const queues = Math.max(1, workers);
  const { max, largeSlots } = queueMemoryOf(queueMemory, queues, maxPayload);
  const messages = queues * max;
  return {
    descriptors: DESCRIPTORS_PER_SESSION + workers *
        (direct ? DESCRIPTORS_PER_DIRECT_QUEUE : DESCRIPTORS_PER_QUEUE),
    threads: THREADS_PER_SESSION + workers * THREADS_PER_QUEUE,
    addressSpace: ADDRESS_SPACE_PER_SESSION + messages +
      workers * ADDRESS_SPACE_PER_QUEUE,
    data: DATA_PER_SESSION + messages + workers * DATA_PER_QUEUE,
    locked: queues * (largeSlots * largeSlotSize(maxPayload) + SLAB_SIZE),
  };
}
