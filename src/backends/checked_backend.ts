import { ERRNO_MAX } from "../base/errno.ts";
import type { NewTime } from "../base/timespec.ts";
import { showValue } from "../base/show_value.ts";
import { Completion, type Step } from "../event/completion.ts";
import type {
  Answer,
  Backend,
  Extent,
  ImageStat,
  ZeroOptions,
} from "./backend.ts";
import { FilterBackend } from "./filter_backend.ts";

/**
 * Checks what a backend of a user's own returns. An answer that cannot be right
 * is a defect, which is reported and costs its request EIO: a positive number of
 * an error must not acknowledge a flush, nor a count of more bytes than there
 * are pass for data.
 */
export class CheckedBackend extends FilterBackend {
  declare readonly splice?: NonNullable<Backend["splice"]>;

  /**
   * Checks the answers of a backend.
   *
   * @param image The backend, which is closed with this one.
   */
  constructor(image: Backend) {
    super(image);
    if (image.splice !== undefined) this.splice = image.splice.bind(image);
  }

  override stat(): Answer<ImageStat> {
    return checked(this.image.stat(), STAT, undefined);
  }

  override read(
    position: number,
    buffer: Uint8Array,
    start: number,
    length: number,
  ): Answer {
    const got = this.image.read(position, buffer, start, length);
    return got === length ? got : checked(got, COUNT, length);
  }

  override write(
    position: number,
    buffer: Uint8Array,
    start: number,
    length: number,
  ): Answer {
    const put = this.image.write(position, buffer, start, length);
    return put === length ? put : checked(put, COUNT, length);
  }

  override flush(): Answer {
    return checked(this.image.flush(), COUNT, 0);
  }

  override truncate(size: number): Answer {
    return checked(this.image.truncate(size), COUNT, 0);
  }

  override zero(
    position: number,
    length: number,
    options: ZeroOptions,
  ): Answer {
    return checked(this.image.zero(position, length, options), COUNT, 0);
  }

  override allocate(position: number, length: number): Answer {
    return checked(this.image.allocate(position, length), COUNT, 0);
  }

  override extent(position: number): Answer<Extent> {
    return checked(this.image.extent(position), EXTENT, position);
  }

  override setTimes(atime: NewTime, mtime: NewTime): Answer {
    return checked(this.image.setTimes(atime, mtime), COUNT, 0);
  }

  override close(): Answer<void> {
    return this.image.close();
  }
}

/** Checks an answer now or when it comes. */
function checked<T, A>(
  answer: Answer<T>,
  step: Step<T, T, A>,
  argument: A,
): Answer<T> {
  return isLater(answer)
    ? Completion.of(answer).after(step, argument)
    : step.run(answer, argument, undefined, undefined);
}

function isLater<T>(answer: Answer<T>): answer is PromiseLike<T> {
  return typeof answer === "object" && answer !== null && "then" in answer;
}

/** From 0 to the most, or a negated error number. */
const COUNT: Step<number, number, number> = {
  run(count, most) {
    const isRight = Number.isInteger(count) && count >= -ERRNO_MAX &&
      count <= most;
    if (isRight) return count;
    const range = most === 0 ? "0" : `0 to ${most}`;
    throw wrong(count, `${range} or a negated error number`);
  },
};

const STAT: Step<ImageStat, ImageStat> = {
  run(stat) {
    if (Number.isSafeInteger(stat?.size) && stat.size >= 0) return stat;
    throw wrong(stat?.size, "a size");
  },
};

const EXTENT: Step<Extent, Extent, number> = {
  run(extent, position) {
    // Otherwise a search would not end.
    if (typeof extent?.end === "number" && extent.end > position) return extent;
    throw wrong(extent?.end, `the end of an extent at ${position}`);
  },
};

function wrong(value: unknown, expected: string): TypeError {
  return new TypeError(
    `The backend has returned ${showValue(value)}: expected ${expected}`,
  );
}
