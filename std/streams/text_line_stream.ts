/** The options of a {@linkcode TextLineStream}. */
export interface TextLineStreamOptions {
  /** Whether `\r` alone ends a line too, false by default. */
  allowCR?: boolean;
}

/**
 * Splits a stream of text into its lines, without `\n` or `\r\n`. A last line
 * without a newline is passed on unless it is empty.
 */
export class TextLineStream extends TransformStream<string, string> {
  /**
   * Creates a stream.
   *
   * @param options What ends a line.
   */
  constructor(options: TextLineStreamOptions = {}) {
    const allowCR = options.allowCR ?? false;
    // A `\r` at the end of a chunk may be followed by `\n` in the next one.
    const lineEnd = allowCR ? /\r?\n|\r(?!$)/ : /\r?\n/;
    let rest = "";
    super({
      transform(chunk, controller) {
        const lines = (rest + chunk).split(lineEnd);
        rest = lines.pop()!;
        for (const line of lines) controller.enqueue(line);
      },
      flush(controller) {
        if (rest === "") return;
        controller.enqueue(allowCR ? rest.replace(/\r$/, "") : rest);
      },
    });
  }
}
