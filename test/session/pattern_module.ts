/** A backend module for the tests: a pattern disk that answers after 1 ms. */
import { ImageBackend, PatternBackend } from "../../src/backends/mod.ts";

class AsyncPattern extends ImageBackend {
  override readonly shared = true;
  readonly size: number;
  readonly #pattern: PatternBackend;

  constructor(size: number) {
    super("pattern-module");
    this.size = size;
    this.#pattern = new PatternBackend(size);
  }

  async read(...call: Parameters<PatternBackend["read"]>): Promise<number> {
    await new Promise((resolve) => setTimeout(resolve, 1));
    return this.#pattern.read(...call);
  }
}

/** Makes the backend; `options` is its size. */
export default function makeBackend(options: unknown): ImageBackend {
  return new AsyncPattern(options as number);
}
