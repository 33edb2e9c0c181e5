import { ERRNO } from "../base/errno.ts";
import { US_PER_MS } from "../base/timespec.ts";
import type { EventSource } from "./event_source.ts";
import { PollStrategy } from "./poll_strategy.ts";
import type { Ring, RingOwner } from "./ring.ts";

/** Polls in a row before the thread yields its core. */
const POLLS = 8;

/** An operation that has completed. */
export interface CompletedOperation {
  /** Delivers its result. */
  settle(): void;
}

/**
 * The event source of a thread that sleeps in an io_uring.
 *
 * Owners register ranges of slots. A completion is dispatched to the owner of
 * its slot, which notes it; an owner of operations notes them here, and
 * `settle()` delivers them.
 */
export class RingEvents implements EventSource {
  readonly #ring: Ring;
  readonly #poll: PollStrategy;
  readonly #hasWork: () => boolean;
  readonly #registered: RingOwner[] = [];
  /** The owner of each slot, and the first slot of that owner's range. */
  readonly #owners: RingOwner[] = [];
  readonly #firsts: number[] = [];
  /** Completed operations; those from `#next` to `#end` are not settled yet. */
  readonly #completed: CompletedOperation[] = [];
  #next = 0;
  #end = 0;
  #inFlight = 0;
  /** Owners that await something that no request waits for. */
  #ahead = 0;
  /** Completions dispatched since the thread slept last. */
  #batch = 0;
  /** Calls of `ready()` that wait, so that nothing else submits. */
  #waiting = 0;
  #usable = true;
  #closed = false;

  /**
   * Makes an event source of a ring, which it closes.
   *
   * @param ring The ring.
   * @param poll How long to poll before sleeping; adapts to the load if left
   * out.
   */
  constructor(ring: Ring, poll: PollStrategy = new PollStrategy()) {
    this.#ring = ring;
    this.#poll = poll;
    this.#hasWork = () => ring.hasWork;
  }

  /** Registers the owner of a range of reserved slots. */
  register(owner: RingOwner, first: number, slots: number): void {
    this.#registered.push(owner);
    for (let slot = first; slot < first + slots; slot++) {
      this.#owners[slot] = owner;
      this.#firsts[slot] = first;
    }
  }

  get inFlight(): number {
    return this.#inFlight;
  }

  /** Whether completions are awaited, by a request or ahead of one. */
  get isBusy(): boolean {
    return this.#inFlight > 0 || this.#ahead > 0;
  }

  /** Counts the owners that await something that no request waits for. */
  expectsAhead(isExpected: boolean): void {
    this.#ahead += isExpected ? 1 : -1;
  }

  get hasCompleted(): boolean {
    return this.#next < this.#end;
  }

  /** Whether slots were pushed and not submitted yet. */
  get needsSubmit(): boolean {
    return this.#ring.needsSubmit;
  }

  /** Counts an operation that a request waits for. */
  started(): void {
    this.#inFlight++;
  }

  /** Notes that such an operation has completed. */
  completed(operation: CompletedOperation): void {
    this.#completed[this.#end++] = operation;
  }

  /**
   * Called after a slot was pushed: submits it at once while `ready()` waits.
   */
  pushed(): void {
    if (this.#waiting > 0) this.submit();
  }

  /** Submits what was pushed, without sleeping. */
  submit(): void {
    if (this.#usable) this.#enter(0);
  }

  /** Submits what was pushed and dispatches completions, without sleeping. */
  exchange(): void {
    this.submit();
    if (!this.#closed) this.#dispatch();
  }

  /**
   * Dispatches completions to their owners. If there are none, submits what was
   * pushed and dispatches the completions that result.
   *
   * @param mayBlock Whether to sleep until there is a completion.
   * @returns Whether it submitted.
   */
  wait(mayBlock: boolean): boolean {
    if (this.#closed) return true;
    if (this.#dispatch()) return false;
    if (!this.#usable) return true;
    if (mayBlock) this.#sleep();
    else this.#enter(0);
    this.#dispatch();
    return true;
  }

  /**
   * Resolves once `wait()` may have something to dispatch; timers and promises
   * of this thread run meanwhile.
   */
  async ready(): Promise<void> {
    this.submit();
    if (!this.#usable || this.#ring.hasCompletion) return;
    this.#waiting++;
    await this.#ring.readable();
    this.#waiting--;
  }

  settle(): void {
    // Steps may settle what is left themselves, by closing the event source.
    while (this.#next < this.#end) {
      const operation = this.#completed[this.#next++]!;
      this.#inFlight--;
      operation.settle();
    }
    this.#next = 0;
    this.#end = 0;
  }

  drain(): void {
    for (;;) {
      this.settle();
      if (this.#inFlight === 0) return;
      if (this.#dispatch()) continue;
      if (!this.#usable) return;
      this.#enter(1);
    }
  }

  close(): void {
    if (this.#closed) return;
    this.drain();
    if (this.#ring.needsSubmit) this.submit();
    this.#closed = true;
    this.#usable = false;
    const quiet = !this.isBusy;
    this.#ring.close();
    for (const owner of this.#registered) owner.ringClosed(quiet);
    // What could not be drained has failed by now.
    this.settle();
  }

  /** Hands all completions to their owners; returns whether there were any. */
  #dispatch(): boolean {
    const ring = this.#ring;
    const before = this.#batch;
    while (ring.take()) {
      const { tag } = ring;
      this.#batch++;
      this.#owners[tag]!.completed(tag - this.#firsts[tag]!, ring.result);
    }
    return this.#batch !== before;
  }

  /** Sleeps until something completes, after polling if that is worth it. */
  #sleep(): void {
    const poll = this.#poll;
    const window = poll.window(this.#batch);
    const isSingle = this.#batch < 2;
    this.#batch = 0;
    if (window === 0 && !(isSingle && poll.adapts)) return this.#enter(1);
    if (window > 0) {
      if (this.#ring.needsSubmit) this.#enter(0);
      if (poll.poll(window, POLLS, this.#hasWork)) {
        this.#enter(0);
        if (this.#ring.hasCompletion || !this.#usable) return;
      }
    }
    const start = performance.now();
    this.#enter(1);
    poll.waited(window + (performance.now() - start) * US_PER_MS);
  }

  #enter(least: 0 | 1): void {
    const result = this.#ring.enter(least);
    if (result >= 0 || result === -ERRNO.EAGAIN || result === -ERRNO.EBUSY) {
      return;
    }
    this.#usable = false;
    for (const owner of this.#registered) owner.ringFailed(-result);
  }
}
