import { environmentVariable } from "../linux/syscall/process.ts";
import { SystemError } from "../linux/syscall/system_error.ts";
import { EXIT, type ExitCode } from "./exit_code.ts";
import type { Output } from "./output.ts";
import { UsageError } from "./usage_error.ts";

/** Set to anything, it shows where a defect lies. */
const DEBUG_VARIABLE = "MQFUSE_DEBUG";

/**
 * Tells of an error in one sentence, never with a stack trace.
 *
 * @returns What the program is to end with.
 */
export function tellFailure(error: unknown, output: Output): ExitCode {
  if (error instanceof UsageError) {
    output.error(error.message);
    return EXIT.USAGE;
  }
  output.error(isForeseen(error) ? error.message : describeDefect(error));
  if (isDebugging() && error instanceof Error && error.stack !== undefined) {
    for (const line of error.stack.split("\n")) output.say(line);
  }
  return EXIT.FAILURE;
}

/**
 * Whether an error's message was written for the user. Errors of the language
 * itself, which mean a defect, are mostly of classes of their own.
 */
function isForeseen(error: unknown): error is Error {
  if (!(error instanceof Error)) return false;
  if (error instanceof SystemError || error.constructor === Error) return true;
  return error instanceof RangeError && error.message.startsWith("Cannot ");
}

function describeDefect(error: unknown): string {
  const [what] =
    (error instanceof Error ? `${error.name}: ${error.message}` : String(error))
      .split("\n");
  return `${what}; this is a defect of mqfuse, please report it (${DEBUG_VARIABLE}=1 shows where it happened)`;
}

function isDebugging(): boolean {
  // Asked first: the lack of --allow-ffi may be just what the error is about.
  const { state } = Deno.permissions.querySync({ name: "ffi" });
  return state === "granted" && environmentVariable(DEBUG_VARIABLE) !== null;
}
