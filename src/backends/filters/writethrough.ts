import type { Answer, ZeroOptions } from "../backend.ts";
import { FilterBackend } from "../filter_backend.ts";

/**
 * Answers a change once it is durable: everything that changes bytes or size is
 * followed by a flush.
 */
export class WritethroughBackend extends FilterBackend {
  override write(
    position: number,
    buffer: Uint8Array,
    start: number,
    length: number,
  ): Answer {
    return this.#durable(this.image.write(position, buffer, start, length));
  }

  override truncate(size: number): Answer {
    return this.#durable(this.image.truncate(size));
  }

  override zero(
    position: number,
    length: number,
    options: ZeroOptions,
  ): Answer {
    return this.#durable(this.image.zero(position, length, options));
  }

  override allocate(position: number, length: number): Answer {
    return this.#durable(this.image.allocate(position, length));
  }

  /** The same answer, given once the image was flushed. */
  #durable(answer: Answer): Answer {
    if (typeof answer === "number") return this.#flushed(answer);
    // Not by `await`: a pooled answer is asked for what follows at once, while
    // its queue still knows that it carries one.
    return new Promise((resolve, reject) => {
      const then = (result: number) => {
        try {
          const flushed = this.#flushed(result);
          if (typeof flushed === "number") resolve(flushed);
          else flushed.then(resolve, reject);
        } catch (error) {
          reject(error);
        }
      };
      answer.then(then, reject);
    });
  }

  #flushed(result: number): Answer {
    if (!(result >= 0)) return result;
    const flushed = this.image.flush();
    if (typeof flushed === "number") return outcome(result, flushed);
    return new Promise((resolve, reject) => {
      flushed.then((late) => resolve(outcome(result, late)), reject);
    });
  }
}

function outcome(result: number, flushed: number): number {
  return flushed >= 0 ? result : flushed;
}
