import { UserError } from "../../base/user_error.ts";
import { formatTrace, formatTraceJson } from "../../protocol/trace.ts";
import { decodeWireLog } from "../../protocol/wire_log.ts";
import { perfettoTrace } from "../output/perfetto.ts";
import { readText, writeTextFile } from "../../linux/syscall/text_file.ts";
import { UsageError } from "../arguments/options.ts";
import type { Arguments } from "../arguments/read_arguments.ts";
import { type Command, EXIT, type ExitCode } from "../command.ts";
import type { Output } from "../output/output.ts";

/** `decode`: prints a wire log as a trace. */
export const DECODE: Command = {
  name: "decode",
  summary: "print a recorded wire log as text",
  description:
    "Prints the messages of FILE, a wire log that 'export --wire' has recorded. Each line has the queue, the direction, the request's id, the opcode or result, and the fields.",
  operands: { FILE: "a wire log; - for standard input" },
  options: ["perfetto", "json"],
  examples: {
    "export --wire disk.img mnt.img >log": "record a wire log",
    "decode log": "read it",
    "decode --perfetto=trace.json log": "see it as a timeline in a browser",
  },
  run: (args, output) => Promise.resolve(runDecode(args, output)),
};

const USAGE = "usage: decode [OPTIONS] FILE";

function runDecode(
  { operands, values }: Arguments,
  output: Output,
): ExitCode {
  const [file, more] = operands;
  if (file === undefined) {
    throw new UsageError(`Cannot decode without a FILE; ${USAGE}`);
  }
  if (more !== undefined) {
    throw new UsageError(`Cannot decode a second file, ${more}; ${USAGE}`);
  }
  const text = readText(file === "-" ? "/dev/stdin" : file);
  const format = output.json ? formatTraceJson : formatTrace;
  const perfetto = values.get("perfetto");
  try {
    if (perfetto !== undefined) {
      writeTextFile(perfetto, perfettoTrace(text.split("\n")));
      return EXIT.OK;
    }
    for (const line of decodeWireLog(text.split("\n"), format)) {
      output.print(line);
    }
  } catch (cause) {
    if (!(cause instanceof SyntaxError)) throw cause;
    throw new UserError(
      `Cannot decode ${file}: ${cause.message}; record one with 'export --wire'`,
      { cause },
    );
  }
  return EXIT.OK;
}
