import type { OptionName } from "./arguments/options.ts";
import type { Arguments } from "./arguments/read_arguments.ts";
import type { Output } from "./output/output.ts";

/** The exit codes of the program. */
export const EXIT = {
  /** The command succeeded. */
  OK: 0,
  /** Something failed while it ran. */
  FAILURE: 1,
  /** The command line is wrong. */
  USAGE: 2,
  /** An image that was checked has clusters that are lost, and no damage. */
  LEAKS: 3,
  /**
   * The reader of standard output has closed it: the status that shells report
   * for a program that SIGPIPE ended.
   */
  CLOSED: 141,
} as const;

/** One of {@linkcode EXIT}. */
export type ExitCode = typeof EXIT[keyof typeof EXIT];

/** A command of the program. */
export interface Command {
  /** Its name on the command line. */
  readonly name: string;
  /** What it does, in a few words. */
  readonly summary: string;
  /** What it does, in a paragraph. */
  readonly description: string;
  /** The name of each operand, and what it is. */
  readonly operands: Readonly<Record<string, string>>;
  /** Further lists of its help: a heading, and what is listed with its text. */
  readonly lists?: Readonly<
    Record<string, readonly (readonly [string, string])[]>
  >;
  /** Its options, without {@linkcode COMMON_OPTIONS}. */
  readonly options: readonly OptionName[];
  /** Help for options that mean something else here than in the table. */
  readonly optionHelp?: Readonly<Partial<Record<OptionName, string>>>;
  /** Example command lines, and what they do. */
  readonly examples: Readonly<Record<string, string>>;
  /**
   * Runs it.
   *
   * @param version The program's version.
   * @throws {UsageError} If the command line is wrong.
   * @throws {UserError} If it fails.
   */
  run(args: Arguments, output: Output, version: string): Promise<ExitCode>;
}

/** The options that every command has. */
export const COMMON_OPTIONS = ["help", "version"] as const;
