import { UserError } from "../base/user_error.ts";
import { formatTrace, formatTraceJson } from "../protocol/trace.ts";
import { decodeWireLog } from "../protocol/wire_log.ts";
import { readText } from "../linux/syscall/text_file.ts";
import type { Command } from "./command.ts";
import { EXIT, type ExitCode } from "./exit_code.ts";
import type { Arguments } from "./options.ts";
import type { Output } from "./output.ts";
import { UsageError } from "./usage_error.ts";

/** `decode`: a wire log in the form of a trace. */
export const DECODE: Command = {
  name: "decode",
  summary: "print a recorded wire log as text",
  description:
    "Prints the messages of FILE, a wire log that 'export --wire' printed, one line each: the queue, the direction, the id, what is asked or answered, and its fields.",
  operands: { FILE: "a wire log; - for standard input" },
  options: ["json"],
  examples: {
    "export --wire disk.img mnt.img >log": "record a wire log",
    "decode log": "read it",
  },
  run: (args, output) => Promise.resolve(runDecode(args, output)),
};

function runDecode({ operands }: Arguments, output: Output): ExitCode {
  const [file, more] = operands;
  if (file === undefined || more !== undefined) {
    throw new UsageError(
      "Cannot tell what to decode: name one FILE; usage: decode [OPTIONS] FILE",
    );
  }
  const text = readText(file === "-" ? "/dev/stdin" : file);
  const format = output.json ? formatTraceJson : formatTrace;
  try {
    for (const line of decodeWireLog(text.split("\n"), format)) {
      output.print(line);
    }
  } catch (error) {
    if (!(error instanceof SyntaxError)) throw error;
    throw new UserError(
      `Cannot decode ${file}: ${error.message}; record one with 'export --wire'`,
      { cause: error },
    );
  }
  return EXIT.OK;
}
