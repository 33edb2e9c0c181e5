/**
 * How much memory the queues of a session take for requests and replies.
 *
 * @module
 */
import { PAGE_SIZE } from "../base/limits.ts";
import { UserError } from "../base/user_error.ts";
import { resourceLimit } from "../linux/syscall/resource_limits.ts";
import { largeSlotSize } from "../queue/slot.ts";
import { queueMemoryMin } from "../queue/slot_pool.ts";

const KIB = 1024;
const MIB = 2 ** 20;

/**
 * Bytes of memory of all queues over /dev/fuse by default, if that is more than
 * the least that they need.
 */
const QUEUE_MEMORY = 64 * MIB;
/**
 * Bytes of large slots that all queues together start with, if it is more than
 * one each: less than the usual RLIMIT_MEMLOCK of 8 MiB, small slots included.
 */
const LARGE_AT_START = 6 * MIB;
/** Large slots of a queue at its start. */
const LARGE_SLOTS_MAX = 2;

/** The memory of one queue over /dev/fuse; plain data. */
export interface QueueMemory {
  /** The bound in bytes. */
  readonly max: number;
  /** Slots for requests of any size to allocate before the first request. */
  readonly largeSlots: number;
}

/**
 * Divides memory among queues.
 *
 * @param total Bytes of all queues; `null` for the default.
 * @param queues How many there are.
 * @param maxPayload Largest payload of a READ or WRITE in bytes.
 */
export function queueMemoryOf(
  total: number | null,
  queues: number,
  maxPayload: number,
): QueueMemory {
  const fits = Math.floor(LARGE_AT_START / queues / largeSlotSize(maxPayload));
  return {
    max: total === null
      ? Math.max(Math.floor(QUEUE_MEMORY / queues), queueMemoryMin(maxPayload))
      : Math.floor(total / queues),
    largeSlots: Math.max(1, Math.min(LARGE_SLOTS_MAX, fits)),
  };
}

/**
 * Checks the memory of all queues together.
 *
 * @param total Bytes.
 * @param needs What it has to suffice for, and the option's name for the
 * message.
 * @throws {UserError} If it is too small.
 */
export function checkQueueMemory(
  total: number,
  { queues, maxPayload, name }: {
    readonly queues: number;
    readonly maxPayload: number;
    readonly name: string;
  },
): number {
  const least = queues * queueMemoryMin(maxPayload);
  if (Number.isSafeInteger(total) && total >= least) return total;
  const count = queues === 1 ? "1 queue needs" : `${queues} queues need`;
  throw new UserError(
    `Cannot use ${total} bytes (${name}): ${count} at least ${
      Math.ceil(least / KIB)
    }K`,
  );
}

/**
 * The notice if memory for messages could not be locked.
 *
 * @param bytes The memory of all queues.
 */
export function unlockedNotice(bytes: number): string {
  const kib = Math.ceil(bytes / PAGE_SIZE) * (PAGE_SIZE / KIB);
  return `Cannot lock the memory for requests: it takes ${kib} KiB, and RLIMIT_MEMLOCK is ${lockLimit()}; it is allocated, but may be swapped out (set LimitMEMLOCK=${kib}K in a systemd unit, or run 'ulimit -l ${kib}' before)`;
}

/** RLIMIT_MEMLOCK as text. */
function lockLimit(): string {
  const { soft } = resourceLimit("MEMLOCK");
  return soft === Infinity ? "unlimited" : `${Math.floor(soft / KIB)} KiB`;
}
