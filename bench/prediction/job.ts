import type { BackgroundCount } from "./dispatch.ts";
import type { Dispatch, ModelRequest, RequestOwner } from "./dispatch.ts";
import type { SleepLock } from "./locks.ts";
import { type Machine, type Program, Thread, WAIT } from "./thread.ts";

/** The options of a {@linkcode Job}. */
export interface JobOptions {
  /** The lists that its requests go to. */
  readonly dispatch: Dispatch;
  /** The limit on background requests; undefined for synchronous requests. */
  readonly background: BackgroundCount | undefined;
  /** The inode's lock if writes exclude each other. */
  readonly inodeLock: SleepLock | undefined;
  /** Its number. */
  readonly index: number;
  /** The number of requests in flight; 1 for synchronous requests. */
  readonly iodepth: number;
  /** The number of server threads. */
  readonly threads: number;
  /** CPU time a request, in microseconds. */
  readonly clientCpu: number;
  /** Called at the end of each request. */
  readonly onEnd: () => void;
}

/** The part of a request's CPU time that is spent before it is sent. */
const SUBMIT_SHARE = 0.6;

/** One job of fio. */
export class Job implements RequestOwner {
  readonly thread: Thread;
  readonly #machine: Machine;
  readonly #options: JobOptions;
  #inFlight = 0;
  #ended = 0;
  #waits = false;

  /** Starts a job. */
  constructor(machine: Machine, options: JobOptions) {
    this.#machine = machine;
    this.#options = options;
    this.thread = new Thread(
      machine,
      (thread) => this.#run(thread),
    );
  }

  ended(): boolean {
    this.#ended++;
    const wakes = this.#waits;
    // why: the first request to end wakes the job, the next one finds it awake
    this.#waits = false;
    return wakes;
  }

  *#run(thread: Thread): Program {
    const { random } = this.#machine;
    const { iodepth, clientCpu, background, inodeLock, onEnd } = this.#options;
    const complete = (1 - SUBMIT_SHARE) * clientCpu;
    for (;;) {
      if (thread.preempted()) yield WAIT;
      yield random.work(clientCpu * SUBMIT_SHARE);
      if (inodeLock && !inodeLock.acquire(thread)) yield WAIT;
      if (background) { while (!background.add(thread)) yield WAIT; }
      yield* this.#send(thread);
      this.#inFlight++;
      // why: an asynchronous write holds the lock until it is submitted, a
      // synchronous one until it has ended
      if (inodeLock && background) yield* this.#unlock(inodeLock);
      if (this.#inFlight < iodepth) continue;
      while (this.#ended === 0) {
        this.#waits = true;
        thread.sleep();
        yield WAIT;
      }
      this.#ended--;
      this.#inFlight--;
      if (inodeLock && !background) yield* this.#unlock(inodeLock);
      yield random.work(complete);
      onEnd();
    }
  }

  *#unlock(lock: SleepLock): Program {
    const next = lock.release();
    if (next === undefined) return;
    yield this.#machine.costs.wakeCpu;
    next.wake();
  }

  *#send(thread: Thread): Program {
    const { dispatch, index, background } = this.#options;
    const { ringQueueLocks, lock, backgroundLock } = dispatch;
    const ringQueue = index % ringQueueLocks.length;
    const request: ModelRequest = { job: this, ringQueue };
    if (dispatch.policy === "uring") {
      //= fs/fuse/dev_uring.c: the id is still made under fiq->lock, and
      //= background requests are still counted by the connection.
      const own = ringQueueLocks[ringQueue]!;
      if (!lock.acquire(thread)) yield WAIT;
      yield lock.cost(thread);
      lock.release();
      if (!own.acquire(thread)) yield WAIT;
      yield own.cost(thread);
      if (background) {
        if (!backgroundLock.acquire(thread)) yield WAIT;
        yield backgroundLock.cost(thread);
        backgroundLock.release();
      }
      const list = dispatch.push(request);
      own.release();
      yield* this.#wake(list);
      return;
    }
    //= fs/fuse/dev.c fuse_request_queue_background(), fuse_dev_queue_req():
    //= readers are woken under fiq->lock, which is acquired under fc->bg_lock.
    if (background) {
      if (!backgroundLock.acquire(thread)) yield WAIT;
      yield backgroundLock.cost(thread);
    }
    if (!lock.acquire(thread)) yield WAIT;
    yield lock.cost(thread);
    yield* this.#wake(dispatch.push(request));
    lock.release();
    if (background) backgroundLock.release();
  }

  *#wake(list: number): Program {
    const { dispatch, threads } = this.#options;
    for (const sleeper of dispatch.wakes(list, threads)) {
      if (!sleeper.asleep) continue;
      yield this.#machine.costs.wakeCpu;
      sleeper.wake();
    }
  }
}
