/**
 * Threads that do nothing, to find out how many can be started.
 *
 * @module
 */

import { cString, pointerOf } from "./ffi_values.ts";
import { libc } from "./libc.ts";

/** Room for a pthread_attr_t or a sem_t: at most 64 bytes. */
const OPAQUE_BYTES = 128;
/** More than any architecture requires; the threads only wait. */
const STACK_BYTES = 256n * 1024n;

/** Threads that sleep. */
export interface IdleThreads extends Disposable {
  /** How many there are: fewer than requested if the system refused one. */
  readonly count: number;
}

/**
 * Starts threads that sleep until they are disposed of. They count for
 * RLIMIT_NPROC, for `pids.max` and for `kernel.threads-max`, as every thread
 * does.
 *
 * @param wanted How many.
 * @returns `null` if this C library has no threads: glibc before 2.34.
 */
export function startIdleThreads(wanted: number): IdleThreads | null {
  const { pthread_create, pthread_join, sem_post, ...others } = libc();
  const attributes = threadAttributes();
  const memory = new Uint8Array(OPAQUE_BYTES);
  const semaphore = pointerOf(memory);
  // Each thread calls sem_wait(semaphore) and ends when that returns.
  const wait = others.dlsym?.(null, cString("sem_wait")) ?? null;
  const made = others.sem_init?.(semaphore, 0, 0) ?? -1;
  if (
    pthread_create === null || pthread_join === null || sem_post === null ||
    attributes === null || wait === null || made < 0
  ) return null;
  const threads: bigint[] = [];
  const id = new BigUint64Array(1);
  while (threads.length < wanted) {
    if (pthread_create(id, attributes, wait, semaphore) !== 0) break;
    threads.push(id[0]!);
  }
  return {
    count: threads.length,
    [Symbol.dispose]() {
      // Taken from the memory anew, which keeps it alive until here.
      for (const _ of threads) sem_post(pointerOf(memory));
      for (const thread of threads) pthread_join(thread, null);
      threads.length = 0;
    },
  };
}

/** A pthread_attr_t for a small stack; `null` if there is none. */
function threadAttributes(): Uint8Array<ArrayBuffer> | null {
  const { pthread_attr_init, pthread_attr_setstacksize } = libc();
  const attributes = new Uint8Array(OPAQUE_BYTES);
  if (pthread_attr_init === null) return null;
  pthread_attr_init(attributes);
  pthread_attr_setstacksize?.(attributes, STACK_BYTES);
  return attributes;
}
