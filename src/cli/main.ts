/**
 * Finds the command on the command line, runs it, and turns errors into
 * messages and exit codes.
 *
 * @module
 */
import { nearest } from "./arguments/nearest.ts";
import { UsageError } from "./arguments/options.ts";
import { type Arguments, readArguments } from "./arguments/read_arguments.ts";
import { choiceOption } from "./arguments/values.ts";
import type { OptionName } from "./arguments/options.ts";
import { commandList } from "./command_list.ts";
import {
  type Command,
  COMMON_OPTIONS,
  EXIT,
  type ExitCode,
} from "./command.ts";
import { tellFailure } from "./failure.ts";
import { commandHelp, programHelp } from "./output/help.ts";
import { OutputError } from "./output/line_writer.ts";
import { LOG_FORMATS, outputFormatOf } from "./output/log_format.ts";
import { Output, type Sinks } from "./output/output.ts";

/**
 * Runs the program.
 *
 * @param args The command line, without the program's name.
 * @param version The program's version.
 * @param sinks Standard output and standard error.
 * @returns The exit code. Never rejects.
 */
export async function main(
  args: readonly string[],
  version: string,
  sinks: Sinks = Deno,
): Promise<ExitCode> {
  const output = new Output(outputFormatOf(args), sinks);
  using _ = catchDefects(output);
  try {
    return await finish(await dispatch(args, version, output), output);
  } catch (error) {
    return await finish(codeOf(error, output), output);
  }
}

function codeOf(error: unknown, output: Output): ExitCode {
  // The end of the output tells of this error, and gives the exit code.
  return error instanceof OutputError ? EXIT.OK : tellFailure(error, output);
}

/** Ends the output; if it failed, the program has failed. */
async function finish(code: ExitCode, output: Output): Promise<ExitCode> {
  const end = await output.finish();
  if (code !== EXIT.OK || end === "written") return code;
  return end === "closed" ? EXIT.CLOSED : EXIT.FAILURE;
}

async function dispatch(
  args: readonly string[],
  version: string,
  output: Output,
): Promise<ExitCode> {
  const commands = commandList(version);
  if (args.length === 0) {
    for (const line of programHelp(commands)) output.say(line);
    return EXIT.USAGE;
  }
  const at = commandIndex(args, commands);
  if (at < 0) return answerWithoutCommand(args, version, output);
  const command = commandOf(args[at]!, commands);
  const given = read(args.toSpliced(at, 1), command.options);
  if (given.flags.has("help")) return print(commandHelp(command), output);
  if (given.flags.has("version")) return print([`mqfuse ${version}`], output);
  return await command.run(given, output, version);
}

/** Splits a command line; checks what the output is made of already. */
function read(
  args: readonly string[],
  options: readonly OptionName[],
): Arguments {
  const given = readArguments(args, [...options, ...COMMON_OPTIONS]);
  choiceOption(given, "log-format", LOG_FORMATS);
  return given;
}

/** The index of the command: the first word, unless options come first. */
function commandIndex(
  args: readonly string[],
  commands: readonly Command[],
): number {
  return args[0]!.startsWith("-")
    ? args.findIndex((arg) => commands.some(({ name }) => name === arg))
    : 0;
}

function answerWithoutCommand(
  args: readonly string[],
  version: string,
  output: Output,
): ExitCode {
  const { flags } = read(args, []);
  if (flags.has("version")) return print([`mqfuse ${version}`], output);
  if (flags.has("help")) {
    return print(programHelp(commandList(version)), output);
  }
  throw new UsageError("Cannot run without a command: --help lists them");
}

function commandOf(name: string, commands: readonly Command[]): Command {
  const command = commands.find((each) => each.name === name);
  if (command !== undefined) return command;
  const near = nearest(name, commands.map((each) => each.name));
  const hint = near === undefined
    ? "--help lists the commands"
    : `did you mean '${near}'?`;
  throw new UsageError(`Unknown command ${name}: ${hint}`);
}

function print(lines: readonly string[], output: Output): ExitCode {
  for (const line of lines) output.print(line);
  return EXIT.OK;
}

/** Makes an uncaught error print one sentence and end the program. */
function catchDefects(output: Output): Disposable {
  const fail = async (event: Event, error: unknown) => {
    event.preventDefault();
    const code = tellFailure(error, output);
    await output.finish();
    // The session unmounts before the program ends.
    Deno.exit(code);
  };
  const onError = (event: ErrorEvent) => fail(event, event.error);
  const onRejection = (event: PromiseRejectionEvent) =>
    fail(event, event.reason);
  globalThis.addEventListener("error", onError);
  globalThis.addEventListener("unhandledrejection", onRejection);
  return {
    [Symbol.dispose]() {
      globalThis.removeEventListener("error", onError);
      globalThis.removeEventListener("unhandledrejection", onRejection);
    },
  };
}
