import { Completion, type Receiver } from "../../../../event/completion.ts";
import type { Answer } from "../../../backend.ts";

/**
 * A change of an image as a sequence of calls: it yields each call's answer and
 * gets its result. Answers that are there at once cost no wait.
 */
export type Steps<T = number> = Generator<Answer, T, number>;

/**
 * The result of what seldom has to wait, or the steps to it: to begin steps for
 * each part of a change takes longer than most of the parts.
 */
export type Soon = number | Steps;

/** Steps in any case, for what is seldom done. */
export function* stepsOf(soon: Soon): Steps {
  return typeof soon === "number" ? soon : yield* soon;
}

/** Runs steps to their end. */
export function run(steps: Steps): Answer {
  return new Run(steps).start();
}

class Run implements Receiver<number> {
  readonly #steps: Steps;
  #answer: Completion<number> | null = null;

  constructor(steps: Steps) {
    this.#steps = steps;
  }

  start(): Answer {
    const result = this.#proceed(this.#steps.next());
    // What it waited for may have been there already.
    return result ?? this.#answer!;
  }

  complete(value: number): void {
    this.#goOn(() => this.#steps.next(value));
  }

  fail(error: unknown): void {
    this.#goOn(() => this.#steps.throw(error));
  }

  #goOn(resume: () => IteratorResult<Answer, number>): void {
    let result: number | null;
    try {
      result = this.#proceed(resume());
    } catch (error) {
      return this.#answer!.fail(error);
    }
    if (result !== null) this.#answer!.complete(result);
  }

  /** Goes on as far as possible; `null` if it waits. */
  #proceed(first: IteratorResult<Answer, number>): number | null {
    let step = first;
    while (step.done !== true) {
      const answer = step.value;
      if (typeof answer !== "number") {
        this.#answer ??= Completion.start();
        Completion.of(answer).deliverTo(this);
        return null;
      }
      step = this.#steps.next(answer);
    }
    return step.value;
  }
}

/**
 * Writes all of a range: repeats a call that wrote a part.
 *
 * @param write Writes from a byte on.
 * @param length Bytes.
 * @param none What to return if a call writes nothing.
 * @returns 0 or a negated errno.
 */
export function fully(
  write: (done: number) => Answer,
  length: number,
  none: number,
): Soon {
  if (length === 0) return 0;
  const first = write(0);
  return first === length ? 0 : goOn(first, write, length, none);
}

function* goOn(
  first: Answer,
  write: (done: number) => Answer,
  length: number,
  none: number,
): Steps {
  let put = yield first;
  for (let done = put; put > 0 && done < length; done += put) {
    put = yield write(done);
  }
  return put < 0 ? put : put === 0 ? none : 0;
}
