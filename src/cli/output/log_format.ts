/**
 * How the program tells on standard error what happens: in sentences, or in
 * lines of JSON.
 *
 * @module
 */

/** The values of `--log-format`. */
export const LOG_FORMATS = ["text", "json"] as const;

/** One of {@linkcode LOG_FORMATS}. */
export type LogFormat = typeof LOG_FORMATS[number];

/** How an output prints. */
export interface OutputFormat {
  /** Whether events are printed to standard output (`--json`). */
  readonly json: boolean;
  /** How standard error is written (`--log-format`). */
  readonly log: LogFormat;
}

const OPTION = "--log-format";

/**
 * Finds how to print on a command line that may be wrong, so that the error that
 * says so is printed in that way too.
 *
 * @param args The command line, without the program's name.
 */
export function outputFormatOf(args: readonly string[]): OutputFormat {
  const end = args.indexOf("--");
  const options = end < 0 ? args : args.slice(0, end);
  const formats = options.flatMap((arg, i) => {
    if (arg === OPTION) return [options[i + 1]];
    const start = `${OPTION}=`;
    return arg.startsWith(start) ? [arg.slice(start.length)] : [];
  });
  return {
    json: options.includes("--json"),
    log: formats.at(-1) === "json" ? "json" : "text",
  };
}

/** An event as a line of a log; it has the time of day first. */
export function logLine(
  event: string,
  fields: Readonly<Record<string, unknown>>,
): string {
  const time = new Date().toISOString();
  return JSON.stringify({ time, event, ...fields });
}
