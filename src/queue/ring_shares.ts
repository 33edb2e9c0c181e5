import { PAGE_SIZE } from "../base/limits.ts";
import { FUSE_MIN_READ_BUFFER } from "../protocol/flags.ts";

/** Bytes of payload that the entries of one connection may take together. */
const MEMORY_MAX = 2 ** 28;
/** Entries of a ring queue: as many requests as one CPU's programs start. */
const ENTRIES_MAX = 16;
const ENTRIES_MIN = 2;

/** What the ring queues of a connection are shared out by. */
export interface RingShareOptions {
  /** How many ring queues the kernel wants: one for each possible CPU. */
  readonly cpus: number;
  /** How many Workers share them. */
  readonly workers: number;
  /** Bytes of an entry's payload. */
  readonly payloadSize: number;
}

/**
 * Shares the ring queues of a connection out over Workers: the ring queue of
 * each entry, by Worker. Every ring queue has an entry, since the kernel lets
 * no request through before; every Worker has one too, so that it hears of the
 * end.
 */
export function shareRings(options: RingShareOptions): number[][] {
  const { cpus, workers, payloadSize } = options;
  const fits = Math.floor(MEMORY_MAX / (Math.max(cpus, workers) * payloadSize));
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
 * Bytes that the kernel wants of an entry's payload.
 *
 * @param negotiated What INIT brought.
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
