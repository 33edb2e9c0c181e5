import type { QueueStatistics } from "./queue_statistics.ts";

/**
 * What the queues of one connection know of each other's room.
 *
 * @category Queues
 */
export interface SharedRoom {
  /** Tells the other queues whether this one has room for a request. */
  tell(hasRoom: boolean): void;
  /** Whether another queue has room for a request. */
  othersHaveRoom(): boolean;
}

/**
 * What one queue shares with the others, in the memory of their counters.
 *
 * @param statistics The counters of all queues.
 * @param index The number of the queue.
 */
export function sharedRoom(
  { queues }: QueueStatistics,
  index: number,
): SharedRoom {
  const own = queues[index]!;
  const others = queues.filter((queue) => queue !== own);
  return {
    tell: (hasRoom) => own.hasRoom = hasRoom,
    othersHaveRoom: () => others.some(({ hasRoom }) => hasRoom),
  };
}
