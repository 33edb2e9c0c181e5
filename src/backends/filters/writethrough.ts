import { Completion, type Step } from "../../event/completion.ts";
import type { Answer, Backend, ZeroOptions } from "../backend.ts";
import type { FilterDriver } from "../driver.ts";
import { FilterBackend } from "../filter_backend.ts";

/** Makes every change durable before it is answered. */
export const WRITETHROUGH: FilterDriver<true, null> = {
  kind: "filter",
  name: "writethrough",
  summary: "makes every change durable before its reply",
  usage: "--writethrough",
  needs: ["image"],
  use: ({ writethrough }) => writethrough || null,
  open: (_source, { below: { file } }) => ({ attachment: null, file }),
  attach: (_attachment, [image]) => new WritethroughBackend(image),
};

/**
 * Answers a change once it is durable: flushes after every call that changes
 * bytes or the size.
 */
export class WritethroughBackend extends FilterBackend implements Backend {
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

  #durable(answer: Answer): Answer {
    return typeof answer === "number"
      ? flushAfter(answer, this.image)
      : Completion.of(answer).after(FLUSH, this.image);
  }
}

/** Flushes unless the change failed. */
const FLUSH: Step<number, number, Backend> = { run: flushAfter };

/** Keeps the result of the change unless the flush failed. */
const KEEP: Step<number, number, number> = { run: outcomeOf };

function flushAfter(result: number, image: Backend): Answer {
  if (!(result >= 0)) return result;
  const flushed = image.flush();
  return typeof flushed === "number"
    ? outcomeOf(flushed, result)
    : Completion.of(flushed).after(KEEP, result);
}

function outcomeOf(flushed: number, result: number): number {
  return flushed >= 0 ? result : flushed;
}
