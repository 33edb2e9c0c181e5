import type { ExitCode } from "./exit_code.ts";
import type { Arguments, OptionName } from "./options.ts";
import type { Output } from "./output.ts";

/** One command of the program. */
export interface Command {
  /** What to write to get it. */
  readonly name: string;
  /** What it does, in a few words. */
  readonly summary: string;
  /** What it does, in a paragraph. */
  readonly description: string;
  /** What it acts on: a name for each, and what it is. */
  readonly operands: Readonly<Record<string, string>>;
  /** The options that it has besides --help and --version. */
  readonly options: readonly OptionName[];
  /** Command lines, and what they do. */
  readonly examples: Readonly<Record<string, string>>;
  /**
   * Runs it.
   *
   * @throws {UsageError} If the command line is wrong.
   * @throws {UserError} With one sentence that says what failed and why.
   */
  run(args: Arguments, output: Output): Promise<ExitCode>;
}

/** The options that every command has. */
export const COMMON_OPTIONS = ["help", "version"] as const;
