import { MS_PER_S } from "../../base/timespec.ts";
import { UserError } from "../../base/user_error.ts";
import { formatSize } from "../../backends/size.ts";
import {
  loopDevicesOver,
  updateLoopSize,
} from "../../linux/mount/loop_devices.ts";
import { fetchAttributes } from "../../linux/syscall/statx.ts";
import { SystemError } from "../../linux/syscall/system_error.ts";
import { UsageError } from "../arguments/options.ts";
import type { Arguments } from "../arguments/read_arguments.ts";
import { readSnapshotWords } from "../arguments/snapshot_words.ts";
import { readSize, secondsOption } from "../arguments/values.ts";
import { type Command, EXIT, type ExitCode } from "../command.ts";
import { type Received, sendControl } from "../control/client.ts";
import { CONTROL_COMMANDS, type ControlRequest } from "../control/protocol.ts";
import type { CheckedReply } from "../control/reply.ts";
import { STATS_RANGE } from "./export_request.ts";
import { watchStats } from "./ctl_stats.ts";
import type { Output } from "../output/output.ts";
import { CACHE_NAMES } from "../output/ready_line.ts";
import { snapshotLines } from "../output/snapshot_lines.ts";
import { queueTable } from "../output/table.ts";

/** `ctl`: controls an export while it runs. */
export const CTL: Command = {
  name: "ctl",
  summary: "query, watch, resize, snapshot or stop a running export",
  description:
    "Sends a command to an export that was started with --control=PATH. 'query' prints what is exported and what its queues did; 'resize' changes the size of the image, and of loop devices over the file; 'readonly' makes the export refuse every change from then on; 'snapshot' makes, lists or deletes internal snapshots of a qcow2 image, while programs read and write it: 'create' keeps everything that was written before, and writes wait until it is done; 'stop' ends it as Ctrl-C does; 'metrics' prints what it does in the text format of Prometheus; 'stats' what it did in a second, or with --watch what 'export --stats' would, until Ctrl-C. The first 'metrics' or 'stats' makes the export measure how long requests take, from then on.",
  operands: {
    PATH: "the control socket",
    COMMAND:
      "query, resize SIZE, readonly, snapshot create NAME, snapshot list, snapshot delete NAME, stop, metrics or stats",
  },
  words: { COMMAND: CONTROL_COMMANDS },
  options: ["timeout", "watch", "json"],
  examples: {
    "ctl mqfuse.sock query": "see what it does",
    "ctl mqfuse.sock resize 2G": "make the image larger or smaller",
    "ctl mqfuse.sock snapshot create before": "keep the disk as it is now",
    "ctl mqfuse.sock stats --watch": "see its load, redrawn every second",
    "ctl mqfuse.sock metrics": "print counters and latencies for Prometheus",
  },
  run: runCtl,
};

const TIMEOUT_RANGE = { min: 0.1, max: 86_400 };
const TIMEOUT_S = 30;
const STOPPED: Received = {
  reply: { command: "stop" },
  line: JSON.stringify({ ok: true }),
};
const USAGE =
  "usage: ctl PATH query|resize SIZE|readonly|snapshot ACTION|stop|metrics|stats";
const SNAPSHOT_USAGE = "usage: ctl PATH snapshot create|list|delete [NAME]";

async function runCtl(args: Arguments, output: Output): Promise<ExitCode> {
  const [path, ...words] = args.operands;
  if (!path) throw new UsageError(`Cannot connect without a PATH; ${USAGE}`);
  const request = requestOf(words);
  const seconds = secondsOption(args, "timeout", TIMEOUT_RANGE) ??
    TIMEOUT_S;
  const every = secondsOption(args, "watch", STATS_RANGE);
  if (request.command === "stats") {
    return await watchStats({ path, every, timeout: seconds }, output);
  }
  if (every !== null) {
    throw new UsageError(
      `Cannot use --watch with ${request.command}: only stats can be watched`,
    );
  }
  const received = await sendControl(path, request, seconds);
  // A stopping export may close the connection before it replies.
  const { reply, line } = received ?? STOPPED;
  if (reply.command === "resize") {
    await showSize(reply.mountpoint, seconds, output);
  }
  if (output.json) output.print(line);
  else tell(reply, request, output);
  return EXIT.OK;
}

function requestOf(words: readonly string[]): ControlRequest {
  const [name, size, more] = words;
  if (name === undefined) {
    throw new UsageError(
      `Cannot control an export without a COMMAND; ${USAGE}`,
    );
  }
  const command = CONTROL_COMMANDS.find((each) => each === name);
  if (command === undefined) {
    throw new UsageError(`Unknown command ${name}; ${USAGE}`);
  }
  if (command === "snapshot") return snapshotRequestOf(words.slice(1));
  const extra = command === "resize" ? more : size;
  if (extra !== undefined) {
    throw new UsageError(`Cannot use the operand ${extra}; ${USAGE}`);
  }
  if (command !== "resize") return { command };
  if (size === undefined) {
    throw new UsageError(`Cannot resize without a SIZE; ${USAGE}`);
  }
  return { command, size: readSize(size, "SIZE") };
}

function snapshotRequestOf(words: readonly string[]): ControlRequest {
  if (words.length === 0) {
    throw new UsageError(
      `Cannot change snapshots without an ACTION; ${SNAPSHOT_USAGE}`,
    );
  }
  return { command: "snapshot", ...readSnapshotWords(words, SNAPSHOT_USAGE) };
}

/**
 * Makes this kernel fetch the new size of an export, and gives it to the loop
 * devices over it. The server cannot do that: it would wait for itself.
 */
async function showSize(
  mountpoint: string,
  seconds: number,
  output: Output,
): Promise<void> {
  // Where this user has no access, the server's notification must do.
  const fetched = fetchAttributes(mountpoint).then(() => true);
  if (!await inTime(fetched, seconds)) {
    throw new UserError(
      `Cannot fetch the new size of ${mountpoint}: the export has changed it, but did not answer within ${seconds} s; check whether it hangs`,
    );
  }
  for (const device of loopDevicesOver(mountpoint)) {
    const problem = await updateInTime(device, seconds);
    if (problem === null) continue;
    output.notice(
      `${problem}; run 'losetup -c ${device}' as root to give it the new size`,
    );
  }
}

/** Gives a loop device the new size; a sentence if it cannot, else `null`. */
async function updateInTime(
  device: string,
  seconds: number,
): Promise<string | null> {
  try {
    const updated = updateLoopSize(device).then(() => true);
    if (await inTime(updated, seconds)) return null;
    return `Cannot set the size of ${device}: it did not answer within ${seconds} s`;
  } catch (error) {
    if (error instanceof SystemError) return error.message;
    throw error;
  }
}

/** The result of a promise; false if it takes too long. */
async function inTime(
  promise: Promise<boolean>,
  seconds: number,
): Promise<boolean> {
  const { promise: late, resolve } = Promise.withResolvers<boolean>();
  const timer = setTimeout(resolve, seconds * MS_PER_S, false);
  try {
    return await Promise.race([promise, late]);
  } finally {
    clearTimeout(timer);
  }
}

function tell(
  reply: CheckedReply,
  request: ControlRequest,
  output: Output,
): void {
  switch (reply.command) {
    case "snapshot": {
      const { snapshots } = reply;
      if (snapshots === null) return output.say(doneOf(request));
      for (const line of snapshotLines("The image", snapshots)) {
        output.print(line);
      }
      return;
    }
    case "query": {
      const { exports, statistics, droppedLines } = reply;
      for (const { source, mountpoint, size, writable, cache } of exports) {
        const access = (writable ? "read-write" : "read-only") +
          (cache === "none" ? "" : `, ${CACHE_NAMES[cache]}`);
        output.print(
          `${source} (${formatSize(size)}, ${access}) at ${mountpoint}`,
        );
      }
      for (const line of queueTable(statistics)) output.print(line);
      if (droppedLines > 0) {
        output.print(
          `${droppedLines} lines of output were dropped, because they were not read in time`,
        );
      }
      return;
    }
    case "metrics":
      for (const line of reply.metrics.trimEnd().split("\n")) {
        output.print(line);
      }
      return;
    case "stats":
      throw new TypeError("watchStats() prints it");
    case "resize":
      return output.say("Resized");
    case "readonly":
      return output.say("The export is now read-only");
    case "stop":
      return output.say("Stopping");
  }
}

/** What a change of snapshots has done. */
function doneOf(request: ControlRequest): string {
  if (request.command !== "snapshot" || request.action === "list") {
    return "Done";
  }
  const done = request.action === "create" ? "Created" : "Deleted";
  return `${done} snapshot ${JSON.stringify(request.name)}`;
}
