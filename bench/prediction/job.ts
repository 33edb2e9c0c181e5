import type { BackgroundCount } from "./background.ts";
import type { Dispatch, ModelRequest, RequestOwner } from "./dispatch.ts";
import type { SleepLock } from "./locks.ts";
import { type Machine, type Program, Thread, WAIT } from "./thread.ts";

/** What a job needs to know. */
export interface JobOptions {
  /** Where its requests go. */
  readonly dispatch: Dispatch;
  /** The limit on asynchronous requests; undefined for synchronous ones. */
  readonly background: BackgroundCount | undefined;
  /** The inode's lock where it is taken exclusively: for serial writes. */
  readonly inodeLock: SleepLock | undefined;
  /** Its number. */
  readonly index: number;
  /** Requests in flight at most; 1 is synchronous. */
  readonly iodepth: number;
  /** Server threads. */
  readonly threads: number;
  /** CPU a request, in microseconds. */
  readonly clientCpu: number;
  /** Called at the end of each request. */
  readonly onEnd: () => void;
}

/** What of a request's CPU is spent before it is sent. */
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
    // why: the first one to end wakes the job, the next one finds it awake
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
      if (inodeLock && !inodeLock.take(thread)) yield WAIT;
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
    const { ringLocks, lock, backgroundLock } = dispatch;
    const ring = index % ringLocks.length;
    const request: ModelRequest = { job: this, ring };
    if (dispatch.policy === "uring") {
      //= fs/fuse/dev_uring.c: the id still comes from under fiq->lock, the
      //= count of background requests is still the connection's.
      const own = ringLocks[ring]!;
      if (!lock.take(thread)) yield WAIT;
      yield lock.cost(thread);
      lock.release();
      if (!own.take(thread)) yield WAIT;
      yield own.cost(thread);
      if (background) {
        if (!backgroundLock.take(thread)) yield WAIT;
        yield backgroundLock.cost(thread);
        backgroundLock.release();
      }
      const list = dispatch.push(request);
      own.release();
      yield* this.#wake(list);
      return;
    }
    //= fs/fuse/dev.c fuse_request_queue_background(), fuse_dev_queue_req():
    //= readers are woken under fiq->lock, which is taken under fc->bg_lock.
    if (background) {
      if (!backgroundLock.take(thread)) yield WAIT;
      yield backgroundLock.cost(thread);
    }
    if (!lock.take(thread)) yield WAIT;
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
