import { Random } from "../determinism/random.ts";

/** How requests find their queue. */
export interface DispatchPolicy {
  /** What the command line calls it. */
  readonly name: string;
  /**
   * Whether a request wakes every queue that waits, as it does those that
   * poll; only the one that {@linkcode DispatchPolicy.wake} names if left out.
   */
  readonly wakesAll?: boolean;
  /**
   * Chooses a queue for a request when it becomes pending.
   *
   * @param open The queues that are open, in order; at least one.
   * @param cpu The CPU that it is sent from.
   * @returns One of them, or -1 to let any that waits take it.
   */
  assign(open: readonly number[], cpu: number): number;
  /**
   * Chooses who is woken first for a request that any queue may take.
   *
   * @param waiting The queues that wait, the longest-waiting first; at least
   * one.
   * @returns One of them.
   */
  wake(waiting: readonly number[]): number;
}

/** The name of a policy of this module. */
export type PolicyName = "round-robin" | "exclusive-fifo" | "herd";

/** The names of all policies. */
export const POLICY_NAMES: readonly PolicyName[] = [
  "round-robin",
  "exclusive-fifo",
  "herd",
];

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

/**
 * What readers get that sleep in read(2): one list for all, and the reader
 * that has slept longest is woken; whoever comes meanwhile may be faster.
 */
export class ExclusiveFifoPolicy implements DispatchPolicy {
  readonly name = "exclusive-fifo";

  /** Any queue. */
  assign(): number {
    return -1;
  }

  /** The one that has waited longest. */
  wake(waiting: readonly number[]): number {
    //= fs/fuse/dev.c fuse_dev_do_read(): readers wait exclusively, and
    //= kernel/sched/wait.c prepare_to_wait_exclusive(): at the tail.
    return waiting[0]!;
  }
}

/**
 * What readers get that poll: each request wakes all of them, chance decides
 * who is first, and the others find nothing.
 */
export class HerdPolicy implements DispatchPolicy {
  readonly name = "herd";
  readonly wakesAll = true;
  readonly #random: Random;

  /** Makes a policy whose chances come from a seed. */
  constructor(random: Random = new Random(1)) {
    this.#random = random;
  }

  /** Any queue. */
  assign(): number {
    return -1;
  }

  /** Anyone. */
  wake(waiting: readonly number[]): number {
    //= fs/fuse/dev.c fuse_dev_wake_and_unlock(): pollers wait without being
    //= exclusive, so that all are woken.
    return this.#random.pick(waiting);
  }
}

/**
 * What an io_uring's queues get: each those of its own CPU, whether or not it
 * is busy.
 */
export class PerCpuPolicy implements DispatchPolicy {
  readonly name = "per-cpu";

  /** The queue of the CPU. */
  assign(open: readonly number[], cpu: number): number {
    //= fs/fuse/dev_uring.c fuse_uring_task_to_queue(): by task_cpu(current).
    return open[cpu % open.length]!;
  }

  /** Not asked, as every request has its queue. */
  wake(waiting: readonly number[]): number {
    return waiting[0]!;
  }
}

/** Makes a policy of this module. */
export function policyNamed(name: PolicyName, random: Random): DispatchPolicy {
  switch (name) {
    case "round-robin":
      return new RoundRobinPolicy();
    case "exclusive-fifo":
      return new ExclusiveFifoPolicy();
    case "herd":
      return new HerdPolicy(random);
  }
}
