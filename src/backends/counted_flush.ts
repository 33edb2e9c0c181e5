import { errnoOf } from "../base/errno_of.ts";
import { Completion, type Step } from "../event/completion.ts";
import type { Answer, Backend } from "./backend.ts";
import { FilterBackend } from "./filter_backend.ts";
import type { SyncErrors } from "./sync_errors.ts";

/** Counts every failed flush of an image that does not count them itself. */
export class CountedFlush extends FilterBackend {
  readonly #errors: SyncErrors;

  /** Counts the failures of an image. */
  constructor(image: Backend, errors: SyncErrors) {
    super(image);
    this.#errors = errors;
  }

  override flush(): Answer {
    let flushed: Answer;
    try {
      flushed = this.image.flush();
    } catch (error) {
      return thrown(error, this.#errors);
    }
    return typeof flushed === "number"
      ? counted(flushed, this.#errors)
      : Completion.of(flushed).after(COUNT_FAILURE, this.#errors);
  }

  override close(): Answer<void> {
    return this.image.close();
  }
}

const COUNT_FAILURE: Step<number, number, SyncErrors> = {
  run: counted,
  recover: thrown,
};

function counted(flushed: number, errors: SyncErrors): number {
  if (!(flushed >= 0)) errors.add(errnoOf({ errno: -flushed }));
  return flushed;
}

function thrown(error: unknown, errors: SyncErrors): never {
  errors.add(errnoOf(error));
  throw error;
}
