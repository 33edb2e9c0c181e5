/** Options of a {@linkcode TextLineStream}. */
export interface TextLineStreamOptions {
  /** Whether `\r` alone ends a line too; it does not unless told. */
  allowCR?: boolean;
}

/**
 * Turns a stream of text into a stream of its lines, without their `\n` or
 * `\r\n`. A last line without an end is passed on unless it is empty.
 */
export class TextLineStream extends TransformStream<string, string> {
  /**
   * Makes the stream.
   *
   * @param options What ends a line.
   */
  constructor(options: TextLineStreamOptions = {}) {
    const allowCR = options.allowCR ?? false;
    // `\r` as the very last character may yet be followed by `\n`
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
