import { Completion, type Step } from "../../event/completion.ts";
import type { Answer, Backend, ZeroOptions } from "../backend.ts";
import type { FilterDriver } from "../driver.ts";
import { FilterBackend } from "../filter_backend.ts";
import { SyncErrors } from "../sync_errors.ts";

/** Makes every change durable before it is answered. */
export const WRITETHROUGH: FilterDriver<true, null> = {
  kind: "filter",
  name: "writethrough",
  summary: "makes every change durable before its reply",
  usage: "--writethrough",
  needs: ["image"],
  use: ({ writethrough }) => writethrough || null,
  open: (_source, { below: { file } }) => ({ attachment: null, file }),
  attach: (_attachment, [image], { syncErrors }) =>
    new WritethroughBackend(image, syncErrors),
};

/**
 * Answers a change once it is durable: flushes after every call that changes
 * bytes or the size. A change fails if its own flush fails, or if any flush of
 * the image has failed since the change began.
 */
export class WritethroughBackend extends FilterBackend implements Backend {
  readonly #errors: SyncErrors;

  /**
   * Filters an image.
   *
   * @param image The backend below; its owner closes it after this one.
   * @param errors Where its failed flushes are counted; if left out, flushes of
   * other threads do not matter.
   */
  constructor(image: Backend, errors: SyncErrors = SyncErrors.create()) {
    super(image);
    this.#errors = errors;
  }

  override write(
    position: number,
    buffer: Uint8Array,
    start: number,
    length: number,
  ): Answer {
    const before = this.#errors.count;
    const put = this.image.write(position, buffer, start, length);
    return this.#durable(put, before);
  }

  override truncate(size: number): Answer {
    const before = this.#errors.count;
    return this.#durable(this.image.truncate(size), before);
  }

  override zero(
    position: number,
    length: number,
    options: ZeroOptions,
  ): Answer {
    const before = this.#errors.count;
    return this.#durable(this.image.zero(position, length, options), before);
  }

  override allocate(position: number, length: number): Answer {
    const before = this.#errors.count;
    return this.#durable(this.image.allocate(position, length), before);
  }

  /**
   * Flushes unless the change failed.
   *
   * @param result The result of the change.
   * @param before The count of errors before it.
   */
  flushAfter(result: number, before: number): Answer {
    if (!(result >= 0)) return result;
    const flushed = this.#errors.flushSince(this.image, before);
    return typeof flushed === "number"
      ? this.outcomeOf(flushed, result)
      : Completion.of(flushed).after(KEEP, this, result);
  }

  /** The result of the change, unless the flush failed. */
  outcomeOf(flushed: number, result: number): number {
    if (flushed >= 0) return result;
    // The client that made the change is told by its result.
    this.#errors.see(this.#errors.count);
    return flushed;
  }

  #durable(answer: Answer, before: number): Answer {
    return typeof answer === "number"
      ? this.flushAfter(answer, before)
      : Completion.of(answer).after(FLUSH, this, before);
  }
}

const FLUSH: Step<number, number, WritethroughBackend, number> = {
  run: (result, filter, before) => filter.flushAfter(result, before),
};

const KEEP: Step<number, number, WritethroughBackend, number> = {
  run: (flushed, filter, result) => filter.outcomeOf(flushed, result),
};
