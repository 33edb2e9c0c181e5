import { UserError } from "../../base/user_error.ts";

/**
 * What is written: a result or a sentence, or one of many records of a trace or
 * of statistics, for which less room is kept.
 */
export type LineKind = "message" | "record";

/** Writes lines to standard output or standard error. */
export interface LineWriter {
  /** Why some lines could not be written; `null` if all could. */
  readonly failure: OutputError | null;
  /** How many lines were dropped so far. */
  readonly dropped: number;
  /** Whether a record would be dropped, however short it is. */
  readonly isFull: boolean;
  /**
   * Writes lines.
   *
   * @param text One line or more, each with its newline.
   * @returns Whether they were taken; if not, they are counted as dropped.
   */
  write(text: string, kind: LineKind): boolean;
  /** Counts lines that were dropped before they came here. */
  drop(lines: number): void;
  /** Resolves when everything is written, or its reader has had enough time. */
  finish(): Promise<void>;
}

/** A stream of the program could not be written to. */
export class OutputError extends UserError {
  override name = "OutputError";
  /** Whether its reader has closed it. */
  readonly isClosed: boolean;

  /**
   * Composes the message.
   *
   * @param stream What could not be written to, such as `standard output`.
   * @param reason Why.
   * @param isClosed Whether its reader has closed it.
   */
  constructor(stream: string, reason: string, isClosed: boolean) {
    super(`Cannot write to ${stream}: ${reason}`);
    this.isClosed = isClosed;
  }
}

/** The number of lines of a text whose lines end with newlines. */
export function countLines(text: string): number {
  let lines = 0;
  for (let at = -1; (at = text.indexOf("\n", at + 1)) >= 0;) lines++;
  return lines;
}

/** A line as it is written. A name with a line break starts no new line. */
export function lineOf(line: string): string {
  return `${line.replace(/\p{Cc}/gu, escaped)}\n`;
}

/**
 * A control character in letters. `JSON.stringify()` leaves those from DEL on as
 * they are, so they get the form that JSON has for them.
 */
function escaped(character: string): string {
  const hex = character.charCodeAt(0).toString(16).padStart(2, "0");
  return character < " " ? `\\x${hex}` : `\\u00${hex}`;
}
