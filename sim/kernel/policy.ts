import { Random } from "../determinism/random.ts";

/**
 * Chooses the queue of each request.
 *
 * @category Policies
 */
export interface DispatchPolicy {
  /** Its name on the command line. */
  readonly name: string;
  /**
   * Whether a request wakes every waiting queue, as it does with readers that
   * poll. If left out, it wakes only the queue that {@linkcode
   * DispatchPolicy.wake} returns.
   */
  readonly wakesAll?: boolean;
  /**
   * Chooses a queue for a request that becomes pending.
   *
   * @param open The open queues in ascending order; at least one.
   * @param cpu The CPU that sends the request.
   * @returns One of the queues, or -1 to let any of them take it.
   */
  assign(open: readonly number[], cpu: number): number;
  /**
   * Chooses the queue to wake first for a request that any queue may take.
   *
   * @param waiting The waiting queues, the longest-waiting first; at least one.
   * @returns One of them.
   */
  wake(waiting: readonly number[]): number;
}

/**
 * The name of a policy.
 *
 * @category Policies
 */
export type PolicyName = "round-robin" | "exclusive-fifo" | "herd";

/**
 * The names of all policies.
 *
 * @category Policies
 */
export const POLICY_NAMES: readonly PolicyName[] = [
  "round-robin",
  "exclusive-fifo",
  "herd",
];

/**
 * Strict turns: the first request goes to the first queue, the second to the
 * second, whether or not they are busy. QEMU's manual describes this; the real
 * kernel comes near it only while all queues are idle.
 *
 * @category Policies
 */
export class RoundRobinPolicy implements DispatchPolicy {
  readonly name = "round-robin";
  #last = -1;

  /** The next open queue after the last one. */
  assign(open: readonly number[]): number {
    this.#last = open.find((queue) => queue > this.#last) ?? open[0]!;
    return this.#last;
  }

  /** Never called, because every request is bound to a queue. */
  wake(waiting: readonly number[]): number {
    return waiting[0]!;
  }
}

/**
 * The policy for readers that sleep in read(2): one list for all, and the
 * reader that has slept longest is woken. A reader that arrives in the meantime
 * may be faster.
 *
 * @category Policies
 */
export class ExclusiveFifoPolicy implements DispatchPolicy {
  readonly name = "exclusive-fifo";

  /** Any queue. */
  assign(): number {
    return -1;
  }

  /** The queue that has waited longest. */
  wake(waiting: readonly number[]): number {
    //= fs/fuse/dev.c fuse_dev_do_read(): readers wait exclusively;
    //= kernel/sched/wait.c prepare_to_wait_exclusive(): at the tail.
    return waiting[0]!;
  }
}

/**
 * The policy for readers that poll: each request wakes all of them, a random
 * one is first, and the others find nothing.
 *
 * @category Policies
 */
export class HerdPolicy implements DispatchPolicy {
  readonly name = "herd";
  readonly wakesAll = true;
  readonly #random: Random;

  /** Makes a policy with a source of random numbers. */
  constructor(random: Random = new Random(1)) {
    this.#random = random;
  }

  /** Any queue. */
  assign(): number {
    return -1;
  }

  /** A random queue. */
  wake(waiting: readonly number[]): number {
    //= fs/fuse/dev.c fuse_dev_wake_and_unlock(): pollers do not wait
    //= exclusively, so all of them are woken.
    return this.#random.pick(waiting);
  }
}

/**
 * The policy of FUSE over io_uring: the ring queue of the sending CPU takes the
 * request, whether or not it is busy.
 *
 * @category Policies
 */
export class PerCpuPolicy implements DispatchPolicy {
  readonly name = "per-cpu";

  /** The queue of the CPU. */
  assign(open: readonly number[], cpu: number): number {
    //= fs/fuse/dev_uring.c fuse_uring_task_to_queue(): by task_cpu(current).
    return open[cpu % open.length]!;
  }

  /** Never called, because every request is bound to a queue. */
  wake(waiting: readonly number[]): number {
    return waiting[0]!;
  }
}

/** Makes a policy by its name. */
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
