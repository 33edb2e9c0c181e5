import type {
  Answer,
  Backend,
  Extent,
  ImageStat,
  ZeroOptions,
} from "../backends/backend.ts";

/**
 * An image that answers for a change once it is durable: whatever changes
 * bytes or size is followed by a flush. Exports that do not ask for this do
 * not pay for it either.
 */
export class WritethroughBackend implements Backend {
  readonly name: string;
  readonly shared: boolean;
  readonly writable: boolean;
  readonly setTimes?: NonNullable<Backend["setTimes"]>;
  readonly #image: Backend;

  /** Takes an image, whose answers may come at once or later. */
  constructor(image: Backend) {
    this.name = image.name;
    this.shared = image.shared;
    this.writable = image.writable;
    this.#image = image;
    const setTimes = image.setTimes?.bind(image);
    if (setTimes !== undefined) this.setTimes = setTimes;
  }

  stat(): Answer<ImageStat> {
    return this.#image.stat();
  }

  read(
    position: number,
    buffer: Uint8Array,
    start: number,
    length: number,
  ): Answer {
    return this.#image.read(position, buffer, start, length);
  }

  write(
    position: number,
    buffer: Uint8Array,
    start: number,
    length: number,
  ): Answer {
    return this.#durable(this.#image.write(position, buffer, start, length));
  }

  writesAlone(position: number, length: number): boolean {
    return this.#image.writesAlone?.(position, length) ?? false;
  }

  flush(): Answer {
    return this.#image.flush();
  }

  truncate(size: number): Answer {
    return this.#durable(this.#image.truncate(size));
  }

  zero(position: number, length: number, options: ZeroOptions): Answer {
    return this.#durable(this.#image.zero(position, length, options));
  }

  allocate(position: number, length: number): Answer {
    return this.#durable(this.#image.allocate(position, length));
  }

  extent(position: number): Answer<Extent> {
    return this.#image.extent(position);
  }

  close(): Answer<void> {
    return this.#image.close();
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
    const flushed = this.#image.flush();
    if (typeof flushed === "number") return outcome(result, flushed);
    return new Promise((resolve, reject) => {
      flushed.then((late) => resolve(outcome(result, late)), reject);
    });
  }
}

function outcome(result: number, flushed: number): number {
  return flushed >= 0 ? result : flushed;
}
