import type { BackgroundCount } from "./dispatch.ts";
import type { CompletionTarget, Device } from "./device.ts";
import type { Dispatch, ModelRequest, Reader } from "./dispatch.ts";
import type { SharedState } from "./locks.ts";
import { type Machine, type Program, Thread, WAIT } from "./thread.ts";

/** The options of a {@linkcode Server}. */
export interface ServerOptions {
  /** The lists that its requests come from. */
  readonly dispatch: Dispatch;
  /** The limit on background requests; undefined for synchronous requests. */
  readonly background: BackgroundCount | undefined;
  /** The device of a file; undefined for a null disk. */
  readonly device: Device | undefined;
  /** The state that all threads of the server share. */
  readonly shared: SharedState;
  /** Its number. */
  readonly index: number;
  /** The number of server threads. */
  readonly threads: number;
  /** CPU time of the protocol a request, in microseconds. */
  readonly protocolCpu: number;
  /** CPU time to pass a request to a helper thread and take it back. */
  readonly fileCpu: number;
}

/** The part of the protocol's CPU time that is spent to fetch a request. */
const FETCH_SHARE = 0.3;

/** The part of the file's CPU time that is spent to pass a request on. */
const HAND_OVER_SHARE = 0.5;

/** A server thread with its queue: an event loop like QEMU's. */
export class Server implements Reader, CompletionTarget {
  readonly index: number;
  readonly thread: Thread;
  readonly completions: ModelRequest[] = [];
  /** Requests taken. */
  taken = 0;
  /** Wake-ups without anything to do. */
  spurious = 0;
  /** Reads that found nothing: EAGAIN. */
  emptyReads = 0;
  readonly #machine: Machine;
  readonly #options: ServerOptions;
  #idle = false;

  /** Starts a server thread. */
  constructor(machine: Machine, options: ServerOptions) {
    this.#machine = machine;
    this.#options = options;
    this.index = options.index;
    const uring = options.dispatch.policy === "uring";
    this.thread = new Thread(
      machine,
      (thread) => uring ? this.#serveRingQueues(thread) : this.#serve(thread),
    );
  }

  *#serve(thread: Thread): Program {
    const { dispatch } = this.#options;
    const { pollCpu } = this.#machine.costs;
    const polls = dispatch.policy === "herd";
    for (;;) {
      if (thread.preempted()) yield WAIT;
      if (polls) {
        yield pollCpu;
        if (!dispatch.lock.acquire(thread)) yield WAIT;
        yield dispatch.lock.cost(thread);
        if (!dispatch.ready(this)) {
          if (this.completions.length === 0) yield* this.#sleep(thread);
          else dispatch.lock.release();
          yield* this.#complete(thread);
          continue;
        }
        dispatch.lock.release();
      }
      yield* this.#fetch(thread, !polls);
      yield* this.#complete(thread);
    }
  }

  /** Goes to sleep while it holds the lock, so that no wake-up is lost. */
  *#sleep(thread: Thread): Program {
    const { dispatch } = this.#options;
    if (this.#idle) this.spurious++;
    dispatch.addSleeper(this);
    dispatch.lock.release();
    thread.sleep();
    yield WAIT;
    dispatch.removeSleeper(this);
    this.#idle = true;
  }

  *#fetch(thread: Thread, blocks: boolean): Program {
    const { dispatch, protocolCpu, fileCpu, device } = this.#options;
    const { random } = this.#machine;
    const fetchCpu = protocolCpu * FETCH_SHARE;
    yield random.work(fetchCpu);
    if (!dispatch.lock.acquire(thread)) yield WAIT;
    yield dispatch.lock.cost(thread);
    const request = dispatch.take(this);
    if (request === undefined) {
      this.emptyReads++;
      if (blocks && this.completions.length === 0) yield* this.#sleep(thread);
      else dispatch.lock.release();
      return;
    }
    dispatch.lock.release();
    this.taken++;
    this.#idle = false;
    yield* this.#share(thread);
    if (device === undefined) {
      yield random.work(protocolCpu - fetchCpu);
      yield* this.#reply(thread, request);
    } else {
      yield random.work(fileCpu * HAND_OVER_SHARE);
      device.start(request, this);
    }
  }

  *#complete(thread: Thread): Program {
    const { protocolCpu, fileCpu } = this.#options;
    const cpu = protocolCpu * (1 - FETCH_SHARE) +
      fileCpu * (1 - HAND_OVER_SHARE);
    for (let left = this.completions.length; left > 0; left--) {
      this.#idle = false;
      yield this.#machine.random.work(cpu);
      yield* this.#reply(thread, this.completions.shift()!);
    }
  }

  /** Fetches shared state from the thread that wrote it last. */
  *#share(thread: Thread): Program {
    const { costs } = this.#machine;
    if (costs.sharedLines > 0 && this.#options.shared.moves(thread)) {
      yield costs.sharedLines * costs.atomicTransfer;
    }
  }

  *#reply(thread: Thread, { job }: ModelRequest): Program {
    yield* this.#share(thread);
    const { dispatch, background } = this.#options;
    const { wakeCpu } = this.#machine.costs;
    if (background) {
      const lock = dispatch.backgroundLock;
      if (!lock.acquire(thread)) yield WAIT;
      yield lock.cost(thread);
      lock.release();
      const blocked = background.end();
      if (blocked) {
        yield wakeCpu;
        blocked.wake();
      }
    }
    if (!job.ended()) return;
    yield wakeCpu;
    job.thread.wake();
  }

  /**
   * Commits and fetches in batches; ring queue `i` belongs to thread `i % n`.
   */
  *#serveRingQueues(thread: Thread): Program {
    const { dispatch, protocolCpu, fileCpu, device } = this.#options;
    const { random, costs } = this.#machine;
    const ringQueues = this.#ownRingQueues();
    const own = Math.max(0, protocolCpu - costs.uringSavedCpu);
    for (;;) {
      if (thread.preempted()) yield WAIT;
      yield costs.uringEnterCpu;
      const committed = this.completions.splice(0);
      for (const request of committed) {
        yield* this.#commit(thread, request);
      }
      const batch: ModelRequest[] = [];
      for (const ringQueue of ringQueues) {
        if (!dispatch.ringQueueReady(ringQueue)) continue;
        const lock = dispatch.ringQueueLocks[ringQueue]!;
        if (!lock.acquire(thread)) yield WAIT;
        yield lock.cost(thread);
        batch.push(...dispatch.takeRingQueue(ringQueue));
        lock.release();
      }
      this.taken += batch.length;
      for (const request of batch) {
        yield* this.#share(thread);
        if (device === undefined) {
          yield random.work(own);
          this.completions.push(request);
        } else {
          yield random.work(own + fileCpu);
          device.start(request, this);
        }
      }
      if (
        this.completions.length > 0 ||
        ringQueues.some((ringQueue) => dispatch.ringQueueReady(ringQueue))
      ) continue;
      dispatch.addSleeper(this);
      thread.sleep();
      yield WAIT;
      dispatch.removeSleeper(this);
    }
  }

  *#commit(thread: Thread, request: ModelRequest): Program {
    const { dispatch, background } = this.#options;
    const ringQueue = dispatch.ringQueueLocks[request.ringQueue]!;
    if (!ringQueue.acquire(thread)) yield WAIT;
    yield ringQueue.cost(thread);
    if (background) {
      //= fs/fuse/dev_uring.c fuse_uring_req_end(): fc->bg_lock under the ring
      //= queue's lock, and once more in fuse_request_end().
      const lock = dispatch.backgroundLock;
      if (!lock.acquire(thread)) yield WAIT;
      yield lock.cost(thread);
      lock.release();
    }
    ringQueue.release();
    yield* this.#reply(thread, request);
  }

  #ownRingQueues(): number[] {
    const { dispatch, threads } = this.#options;
    return dispatch.ringQueueLocks.flatMap((_, ringQueue) =>
      ringQueue % threads === this.index ? [ringQueue] : []
    );
  }
}
