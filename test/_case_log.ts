/**
 * The results of long runs: a file with one line of JSON for each case. A run
 * that is started again skips the cases that are in its file.
 *
 * @module
 */

/** What is known of a case: figures and words. */
export type CaseResult = Readonly<Record<string, number | string>>;

/** The results of a run so far. */
export class CaseLog {
  readonly #path: string | null;
  readonly #results = new Map<string, CaseResult>();

  /**
   * Reads the results of earlier runs.
   *
   * @param path The file, which need not exist; `null` keeps no results.
   */
  constructor(path: string | null) {
    this.#path = path;
    for (const line of path === null ? [] : linesOf(path)) {
      const { name, ...result } = JSON.parse(line);
      this.#results.set(name, result);
    }
  }

  /** Whether a case has been run. */
  has(name: string): boolean {
    return this.#results.has(name);
  }

  /** Adds the result of a case, which has ended well. */
  add(name: string, result: CaseResult): void {
    this.#results.set(name, result);
    if (this.#path === null) return;
    const line = `${JSON.stringify({ name, ...result })}\n`;
    Deno.writeTextFileSync(this.#path, line, { append: true });
  }

  /** The number of cases whose names begin with a prefix. */
  count(prefix: string = ""): number {
    return this.#with(prefix).length;
  }

  /** The sum of a figure over the cases whose names begin with a prefix. */
  sum(figure: string, prefix: string = ""): number {
    return this.#with(prefix).reduce(
      (sum, result) => sum + Number(result[figure] ?? 0),
      0,
    );
  }

  /** The largest figure of all cases whose names begin with a prefix. */
  most(figure: string, prefix: string = ""): number {
    return this.#with(prefix).reduce(
      (most, result) => Math.max(most, Number(result[figure] ?? 0)),
      0,
    );
  }

  #with(prefix: string): CaseResult[] {
    return [...this.#results].filter(([name]) => name.startsWith(prefix))
      .map(([, result]) => result);
  }
}

function linesOf(path: string): string[] {
  try {
    // A line that was cut off by a kill is not a result.
    const text = Deno.readTextFileSync(path);
    return text.slice(0, text.lastIndexOf("\n") + 1).split("\n").filter(
      Boolean,
    );
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return [];
    throw error;
  }
}
