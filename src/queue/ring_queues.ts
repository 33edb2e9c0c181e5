/**
 * The ring queues of FUSE over io_uring, one for each CPU: which Worker serves
 * which, and the size of their entries.
 *
 * @module
 */
import { PAGE_SIZE } from "../base/limits.ts";
import { FUSE_MIN_READ_BUFFER } from "../protocol/flags.ts";

/** Bytes of payload of all entries by default, if two each do not need more. */
const MEMORY_MAX = 2 ** 28;
/** Most entries of a ring queue: requests in flight from one CPU. */
const ENTRIES_MAX = 16;
const ENTRIES_MIN = 2;

/** The options of {@linkcode assignRingQueues}. */
export interface RingQueueOptions {
  /** Ring queues that the kernel expects: one for each possible CPU. */
  readonly cpus: number;
  /** Workers that serve them. */
  readonly workers: number;
  /** Bytes of an entry's payload. */
  readonly payloadSize: number;
  /** Bytes of payload that all entries may take; `null` for the default. */
  readonly memoryMax: number | null;
}

/**
 * Assigns the ring queues of a connection to Workers.
 *
 * Every ring queue gets an entry, because the kernel sends no request before
 * that. Every Worker gets one too, so that it notices the end of the
 * connection.
 *
 * @returns For each Worker, the ring queue of each of its entries; `null` if
 * the memory does not suffice for two entries of each ring queue.
 */
export function assignRingQueues(
  options: RingQueueOptions,
): number[][] | null {
  const { cpus, workers, payloadSize, memoryMax } = options;
  const bytes = memoryMax ?? MEMORY_MAX;
  const fits = Math.floor(bytes / (Math.max(cpus, workers) * payloadSize));
  if (fits < ENTRIES_MIN && memoryMax !== null) return null;
  const entries = Math.max(ENTRIES_MIN, Math.min(ENTRIES_MAX, fits));
  return Array.from({ length: workers }, (_, worker) => {
    const own = cpus > workers
      ? range(cpus).filter((cpu) => cpu % workers === worker)
      : [worker % cpus];
    return own.flatMap((cpu) => Array<number>(entries).fill(cpu));
  });
}

function range(count: number): number[] {
  return Array.from({ length: count }, (_, i) => i);
}

/**
 * Bytes that the kernel requires of an entry's payload.
 *
 * @param negotiated Limits of the negotiated capabilities.
 */
export function ringPayloadSize(
  negotiated: { readonly maxWrite: number; readonly maxPages: number },
): number {
  //= fs/fuse/dev_uring.c fuse_uring_create(): the larger of
  //= FUSE_MIN_READ_BUFFER, max_write and max_pages pages.
  return Math.max(
    FUSE_MIN_READ_BUFFER,
    negotiated.maxWrite,
    negotiated.maxPages * PAGE_SIZE,
  );
}
