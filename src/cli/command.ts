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

/** What each of {@linkcode EXIT} means, for users. */
export const EXIT_STATUSES: Readonly<Record<ExitCode, string>> = {
  [EXIT.OK]:
    "The command succeeded. An export or mount was ended by a signal or an unmount, and everything that was acknowledged is in the image.",
  [EXIT.FAILURE]:
    "The command failed, or an export or mount did not end cleanly: it was unmounted by force, its connection was aborted, or output could not be written. A sentence on standard error says what happened.",
  [EXIT.USAGE]: "The command line is wrong; nothing was done.",
  [EXIT.LEAKS]:
    "An image that was checked has clusters that are lost, and no damage.",
  [EXIT.CLOSED]:
    "The reader of standard output closed it, as SIGPIPE would end the program. An export and a mount go on instead.",
};

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
  /** The words that an operand may be, by the name of the operand. */
  readonly words?: Readonly<Record<string, readonly string[]>>;
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
export const COMMON_OPTIONS = ["log-format", "help", "version"] as const;
