import { UnmountedError } from "../base/unmounted_error.ts";
import { UserError } from "../base/user_error.ts";
import { environmentVariable } from "../linux/syscall/process.ts";
import { UsageError } from "./arguments/options.ts";
import { EXIT, type ExitCode } from "./command.ts";
import type { Output } from "./output/output.ts";

/** If this variable is set, a failure prints its stack trace too. */
const DEBUG_VARIABLE = "MQFUSE_DEBUG";

/**
 * Prints an error as one sentence, without a stack trace.
 *
 * @returns The exit code that belongs to it.
 */
export function tellFailure(error: unknown, output: Output): ExitCode {
  if (error instanceof UnmountedError) {
    // A mount that is unmounted later ends without an error too.
    output.notice("Unmounted before it was ready");
    return EXIT.OK;
  }
  const isUsage = error instanceof UsageError;
  output.error(sentenceOf(error), isUsage ? [] : stackOf(error));
  return isUsage ? EXIT.USAGE : EXIT.FAILURE;
}

/** The lines of the stack trace, none if it is not to be printed. */
function stackOf(error: unknown): readonly string[] {
  const stack = error instanceof Error ? error.stack : undefined;
  return stack !== undefined && isDebugging() ? stack.split("\n") : [];
}

/**
 * Describes an error to the user: a {@linkcode UserError} by its own message,
 * anything else as a defect.
 */
export function sentenceOf(error: unknown): string {
  if (error instanceof UserError) return error.message;
  const [what] = String(error).split("\n");
  return `${what}; this is a defect of mqfuse, please report it (${DEBUG_VARIABLE}=1 shows where it happened)`;
}

function isDebugging(): boolean {
  // Reading the environment needs FFI, whose permission may be what is missing.
  const { state } = Deno.permissions.querySync({ name: "ffi" });
  return state === "granted" && environmentVariable(DEBUG_VARIABLE) !== null;
}
