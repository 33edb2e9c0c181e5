import { UserError } from "../base/user_error.ts";
import { formatSize, parseSize } from "../backends/size.ts";
import { connectUnix } from "../linux/socket/unix_connection.ts";
import type { QueueTotals } from "../queue/queue_statistics.ts";
import type { Command } from "./command.ts";
import {
  CONTROL_COMMANDS,
  type ControlReply,
  type ControlRequest,
} from "./control.ts";
import { EXIT, type ExitCode } from "./exit_code.ts";
import type { Arguments } from "./options.ts";
import type { Output } from "./output.ts";
import { queueTable } from "./table.ts";
import { UsageError } from "./usage_error.ts";

/** `ctl`: manages an export while it runs. */
export const CTL: Command = {
  name: "ctl",
  summary: "query, resize or stop an export that runs",
  description:
    "Sends a command to an export that was started with --control=PATH. 'query' tells what is exported and what its queues did; 'resize' changes the size of the image; 'readonly' refuses every change from then on; 'stop' ends the export as Ctrl-C would.",
  operands: {
    PATH: "the control socket",
    COMMAND: "query, resize SIZE, readonly or stop",
  },
  options: ["json"],
  examples: {
    "ctl mqfuse.sock query": "see what it does",
    "ctl mqfuse.sock resize 2G": "make the image larger or smaller",
  },
  run: runCtl,
};

const USAGE = "usage: ctl PATH query|resize SIZE|readonly|stop";

async function runCtl(args: Arguments, output: Output): Promise<ExitCode> {
  const [path, ...words] = args.operands;
  if (!path) throw new UsageError(`Cannot connect without a PATH; ${USAGE}`);
  const request = requestOf(words);
  const reply = await ask(path, request);
  if (!reply.ok) throw new UserError(reply.error);
  if (output.json) output.print(JSON.stringify(reply));
  else tell(request, reply, output);
  return EXIT.OK;
}

function requestOf(words: readonly string[]): ControlRequest {
  const [name, size, more] = words;
  const command = CONTROL_COMMANDS.find((each) => each === name);
  const operands = command === "resize" ? 1 : 0;
  if (command === undefined || more !== undefined) {
    throw new UsageError(`Cannot make sense of "${words.join(" ")}"; ${USAGE}`);
  }
  if ((size === undefined ? 0 : 1) !== operands) {
    throw new UsageError(
      operands === 0
        ? `Cannot use ${size} with ${command}: it takes none; ${USAGE}`
        : `Cannot resize without a SIZE; ${USAGE}`,
    );
  }
  if (command !== "resize") return { command };
  try {
    return { command, size: parseSize(size!) };
  } catch (error) {
    if (!(error instanceof UserError)) throw error;
    throw new UsageError(`${error.message} (SIZE)`, { cause: error });
  }
}

async function ask(
  path: string,
  request: ControlRequest,
): Promise<ControlReply> {
  await using connection = connectUnix(path);
  await connection.write(`${JSON.stringify(request)}\n`);
  const line = await connection.readLine();
  // An export that ends may do so before it has answered.
  if (line === null && request.command === "stop") return { ok: true };
  if (line === null) {
    throw new UserError(
      `Cannot hear from ${path}: the export ended without an answer`,
    );
  }
  return JSON.parse(line);
}

/** What an export says of itself. */
interface Facts {
  readonly exports: readonly {
    readonly source: string;
    readonly mountpoint: string;
    readonly size: number;
    readonly writable: boolean;
  }[];
  readonly statistics: readonly QueueTotals[];
}

function tell(
  { command }: ControlRequest,
  reply: ControlReply,
  output: Output,
): void {
  switch (command) {
    case "query": {
      const { exports, statistics } = reply as unknown as Facts;
      for (const { source, mountpoint, size, writable } of exports) {
        const access = writable ? "read-write" : "read-only";
        output.print(
          `${source} (${formatSize(size)}, ${access}) at ${mountpoint}`,
        );
      }
      for (const line of queueTable(statistics)) output.print(line);
      return;
    }
    case "resize":
      return output.say("Resized");
    case "readonly":
      return output.say("Read-only from now on");
    case "stop":
      return output.say("Stopping");
  }
}
