/**
 * Results of asynchronous operations, without an allocation for each.
 *
 * @module
 */

/** Takes the outcome of one operation, once. */
export interface Receiver<T> {
  /** The operation succeeded. */
  complete(value: T): void;
  /** The operation failed. */
  fail(error: unknown): void;
}

/**
 * A function that is applied to a result before it is delivered. A step is an
 * object without state that is made once; its data comes as arguments.
 */
export interface Step<T, U, A = undefined, B = undefined, C = undefined> {
  /**
   * Takes the result so far.
   *
   * @returns The next result, or a promise of it: the steps that follow wait.
   */
  run(value: T, first: A, second: B, third: C): U | PromiseLike<U>;
  /**
   * Takes the error of the operation or of an earlier step. Without this method
   * the step is skipped.
   *
   * @returns The next result, or a promise of it; throws to stay failed.
   */
  recover?(
    error: unknown,
    first: A,
    second: B,
    third: C,
  ): U | PromiseLike<U>;
}

type AnyStep = Step<unknown, unknown, unknown, unknown, unknown>;

/** In the pool, or consumed by then(): must not be used. */
const SPENT = 0;
/** The operation is in flight, or a step waits for another operation. */
const PENDING = 1;
/** All steps have run; the result waits for a consumer. */
const SETTLED = 2;

/** A step and its three arguments. */
const WORDS_OF_STEP = 4;

/** Completions of this thread for reuse. */
const pool: Completion<unknown>[] = [];

/**
 * The result of one asynchronous operation.
 *
 * The owner of the operation calls `complete()` or `fail()`, once. Layers that
 * the completion passes through add steps, which run in order. The last layer
 * consumes it, once: by `deliverTo()`, or as a promise by `await` or `then()`.
 *
 * Completions are pooled: one that `deliverTo()` has delivered is used for
 * another operation, so code that has passed it on must not touch it any more.
 * One that was consumed as a promise is not used again.
 */
export class Completion<T = number> implements PromiseLike<T>, Receiver<T> {
  #state = SPENT;
  #failed = false;
  /** The result so far, or the error. */
  #value: unknown = undefined;
  /** Steps, each followed by its arguments; only `#end` words are in use. */
  readonly #steps: unknown[] = [];
  /** Words of `#steps` that are in use. */
  #end = 0;
  /** The word of the next step to run. */
  #next = 0;
  #consumed = true;
  #reusable = true;
  #receiver: Receiver<T> | null = null;
  /** Callbacks for a promise, made when first needed. */
  #onFulfilled: ((value: unknown) => void) | null = null;
  #onRejected: ((error: unknown) => void) | null = null;

  /** A completion for a new operation. */
  static start<T = number>(): Completion<T> {
    const completion = (pool.pop() ?? new Completion()) as Completion<T>;
    completion.#state = PENDING;
    completion.#failed = false;
    completion.#consumed = false;
    completion.#end = 0;
    completion.#next = 0;
    completion.#receiver = null;
    return completion;
  }

  /**
   * The completion of an asynchronous answer: the answer itself if it is one,
   * else one that follows the promise.
   *
   * @throws {TypeError} If the answer is neither.
   */
  static of<T>(answer: PromiseLike<T>): Completion<T> {
    if (answer instanceof Completion) return answer;
    if (!isThenable(answer)) {
      const received = answer === null ? "null" : typeof answer;
      throw new TypeError(`Expected a promise, received ${received}`);
    }
    const completion = Completion.start<T>();
    completion.#follow(answer);
    return completion;
  }

  /** Ends the operation with a result; called by its owner. */
  complete(value: T): void {
    this.#settle(false, value);
  }

  /** Ends the operation with an error; called by its owner. */
  fail(error: unknown): void {
    this.#settle(true, error);
  }

  /**
   * Adds a step; it runs at once if the operation has already ended.
   *
   * @returns This completion, whose result is now that of the step.
   * @throws {Error} If it was consumed.
   */
  after<U>(step: Step<T, U>): Completion<U>;
  /** Adds a step with one argument. */
  after<U, A>(step: Step<T, U, A>, first: A): Completion<U>;
  /** Adds a step with two arguments. */
  after<U, A, B>(step: Step<T, U, A, B>, first: A, second: B): Completion<U>;
  /** Adds a step with three arguments. */
  after<U, A, B, C>(
    step: Step<T, U, A, B, C>,
    first: A,
    second: B,
    third: C,
  ): Completion<U>;
  after(
    step: unknown,
    first?: unknown,
    second?: unknown,
    third?: unknown,
  ): Completion<never> {
    this.#check();
    const steps = this.#steps;
    const at = this.#end;
    this.#end = at + WORDS_OF_STEP;
    steps[at] = step;
    steps[at + 1] = first;
    steps[at + 2] = second;
    steps[at + 3] = third;
    if (this.#state === SETTLED) this.#proceed();
    return this as Completion<unknown> as Completion<never>;
  }

  /**
   * Consumes the result: delivers it when the operation ends, or at once if it
   * has ended.
   *
   * @throws {Error} If it was consumed.
   */
  deliverTo(receiver: Receiver<T>): void {
    this.#check();
    this.#consumed = true;
    this.#receiver = receiver;
    if (this.#state === SETTLED) this.#deliver();
  }

  /**
   * Consumes the result as a promise.
   *
   * @throws {Error} If it was consumed.
   */
  then<A = T, B = never>(
    onFulfilled?: ((value: T) => A | PromiseLike<A>) | null,
    onRejected?: ((error: unknown) => B | PromiseLike<B>) | null,
  ): Promise<A | B> {
    this.#check();
    // Not reused, so that later calls through an old reference always fail.
    this.#reusable = false;
    return new Promise<T>((complete, fail) =>
      this.deliverTo({ complete, fail })
    )
      .then(onFulfilled, onRejected);
  }

  #check(): void {
    if (!this.#consumed) return;
    throw new Error(
      "This completion was consumed already: await it, return it or deliver it, once",
    );
  }

  #settle(failed: boolean, value: unknown): void {
    if (this.#state !== PENDING) {
      throw new Error("This completion was settled already");
    }
    this.#failed = failed;
    this.#value = value;
    this.#proceed();
  }

  /** Runs the remaining steps, up to one that waits. */
  #proceed(): void {
    const steps = this.#steps;
    this.#state = PENDING;
    while (this.#next < this.#end) {
      const at = this.#next;
      this.#next = at + WORDS_OF_STEP;
      const step = steps[at] as AnyStep;
      try {
        let value: unknown;
        if (!this.#failed) {
          value = step.run(
            this.#value,
            steps[at + 1],
            steps[at + 2],
            steps[at + 3],
          );
        } else if (step.recover !== undefined) {
          value = step.recover(
            this.#value,
            steps[at + 1],
            steps[at + 2],
            steps[at + 3],
          );
        } else {
          continue;
        }
        this.#failed = false;
        if (isThenable(value)) return this.#follow(value);
        this.#value = value;
      } catch (error) {
        this.#failed = true;
        this.#value = error;
      }
    }
    this.#state = SETTLED;
    if (this.#receiver !== null) this.#deliver();
  }

  /** Settles as another asynchronous answer does. */
  #follow(answer: PromiseLike<unknown>): void {
    if (answer === this) throw new TypeError("A completion awaits itself");
    if (answer instanceof Completion) return answer.deliverTo(this);
    this.#onFulfilled ??= (value) => this.#settle(false, value);
    this.#onRejected ??= (error) => this.#settle(true, error);
    // A new promise settles once, even if the answer's then() calls twice.
    new Promise((resolve) => resolve(answer))
      .then(this.#onFulfilled, this.#onRejected);
  }

  #deliver(): void {
    const receiver = this.#receiver!;
    const value = this.#value;
    const failed = this.#failed;
    this.#state = SPENT;
    this.#receiver = null;
    this.#value = undefined;
    if (this.#reusable) pool.push(this as Completion<unknown>);
    if (failed) receiver.fail(value);
    else receiver.complete(value as T);
  }
}

function isThenable(value: unknown): value is PromiseLike<unknown> {
  return typeof value === "object" && value !== null &&
    typeof (value as { then?: unknown }).then === "function";
}
