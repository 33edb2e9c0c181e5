/** How requests find their queue. */
export interface DispatchPolicy {
  /** What the command line calls it. */
  readonly name: string;
  /**
   * Chooses a queue for a request when it becomes pending.
   *
   * @param open The queues that are open, in order; at least one.
   * @returns One of them, or -1 to let any that waits take it.
   */
  assign(open: readonly number[]): number;
  /**
   * Chooses who is woken for a request that any queue may take.
   *
   * @param waiting The queues that wait, the longest-waiting first; at least
   * one.
   * @returns One of them.
   */
  wake(waiting: readonly number[]): number;
}

/**
 * Strict turns: the first request goes to the first queue, the second to the
 * second, whether or not it is busy. What QEMU's manual promises; the real
 * kernel only comes near it while all queues are idle.
 */
export class RoundRobinPolicy implements DispatchPolicy {
  readonly name = "round-robin";
  #last = -1;

  /** The queue behind the last one, the first where there is none. */
  assign(open: readonly number[]): number {
    this.#last = open.find((queue) => queue > this.#last) ?? open[0]!;
    return this.#last;
  }

  /** Not asked, as every request has its queue. */
  wake(waiting: readonly number[]): number {
    return waiting[0]!;
  }
}
