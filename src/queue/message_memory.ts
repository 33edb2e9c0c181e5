/**
 * The memory in which a queue keeps messages.
 *
 * @module
 */

/**
 * A range of memory for messages.
 *
 * @category Queues
 */
export interface MessageMemory {
  /** The bytes; the first one begins a page, for direct I/O. */
  readonly bytes: Uint8Array<ArrayBuffer>;
  /** Gives the memory back. Nothing may touch the bytes afterwards. */
  release(): void;
}

/**
 * Provides memory for messages.
 *
 * @category Queues
 * @param size Bytes.
 * @returns `null` if there is not as much memory.
 */
export type AllocateMessages = (size: number) => MessageMemory | null;

/**
 * Provides memory of V8's heap, which is not aligned: for queues whose messages
 * are not used in direct I/O.
 */
export function heapMemory(size: number): MessageMemory {
  return { bytes: new Uint8Array(size), release() {} };
}
