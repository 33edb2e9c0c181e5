/**
 * What commands that serve a mount have in common: what they report while it is
 * served, and at its end.
 *
 * @module
 */
import { messageOf } from "../../base/message_of.ts";
import {
  notifyService,
  type ServiceState,
} from "../../linux/socket/sd_notify.ts";
import {
  describeUsers,
  type MountUsers,
} from "../../linux/mount/mount_users.ts";
import { formatTrace, formatTraceJson } from "../../protocol/trace.ts";
import type { TraceRecord } from "../../protocol/trace_record.ts";
import { formatWireLine } from "../../protocol/wire_log.ts";
import type { SessionReport } from "../../session/session.ts";
import type { SessionOptions } from "../../session/session_options.ts";
import type { Arguments } from "../arguments/read_arguments.ts";
import { EXIT, type ExitCode } from "../command.ts";
import { sentenceOf } from "../failure.ts";
import type { Output } from "../output/output.ts";
import { queueTable } from "../output/table.ts";
import { onStopSignals } from "./stop_signals.ts";

/** Whether to print each message as text or as bytes. */
export type TraceChoice = "off" | "text" | "wire";

/** Reads the options `--trace` and `--wire`. */
export function traceChoice({ flags }: Arguments): TraceChoice {
  if (flags.has("wire")) return "wire";
  return flags.has("trace") ? "text" : "off";
}

/**
 * The callbacks of a session, which print to an output.
 *
 * @param mount The mount point as the user wrote it, and the limit of its wait.
 */
export function callbacksOf(
  { mountpoint, stopTimeout }: Pick<
    SessionOptions,
    "mountpoint" | "stopTimeout"
  >,
  trace: TraceChoice,
  output: Output,
): Pick<
  SessionOptions,
  "trace" | "traceDropped" | "notice" | "inUse" | "report" | "warn"
> {
  const traceStream = trace === "wire" || output.json ? "stdout" : "stderr";
  return {
    ...trace === "off" ? {} : {
      trace: (record) =>
        output.record(
          () => lineOfMessage(record, output.json || output.jsonLog),
          traceStream,
        ),
      traceDropped: (records) => output.drop(records, traceStream),
    },
    notice: (text) => output.notice(text),
    inUse: (users) => tellInUse(users, mountpoint, stopTimeout, output),
    ...reportTo(output),
    warn: (text) => output.error(text),
  };
}

/** The callback of a session that prints defects to an output. */
export function reportTo(output: Output): Pick<SessionOptions, "report"> {
  return {
    report: (error, during) =>
      output.error(`Cannot answer ${during}: ${messageOf(error)}`),
  };
}

/** Says why the mount does not end yet. */
function tellInUse(
  users: MountUsers,
  mountpoint: string,
  stopTimeout: number | undefined,
  output: Output,
): void {
  output.tell(
    "in-use",
    { ...users, stopTimeout },
    `${mountpoint} is in use by ${
      describeUsers(users)
    }; waiting for up to ${stopTimeout} s, send another signal to stop at once`,
  );
}

/** The line of a message between kernel and server. */
function lineOfMessage(record: TraceRecord, json: boolean): string {
  const { queue, direction, wire, at } = record;
  if (wire !== undefined) {
    return formatWireLine({
      queue,
      direction,
      bytes: wire,
      ...at === undefined ? {} : { at },
    });
  }
  return json ? formatTraceJson(record) : formatTrace(record);
}

/** Reports how a session ended. */
export function tellEnd(
  { clean, problems, ends, queues }: SessionReport,
  stopping: boolean,
  output: Output,
): ExitCode {
  if (!stopping && clean) {
    const aborted = ends.some(({ reason }) => reason === "aborted");
    output.notice(aborted ? "The connection was aborted" : "Unmounted");
  }
  for (const problem of problems) output.error(problem);
  output.report("closed", { queues }, queueTable(queues));
  return clean ? EXIT.OK : EXIT.FAILURE;
}

/**
 * Stops at the first stop signal, and at once at the second one. Call it before
 * mounting, because a signal that kills the program would leave a stale mount.
 */
export function stopOnSignals(
  output: Output,
  stop: () => void,
  abort: () => void,
): Disposable {
  return onStopSignals((signal, count) => {
    if (count > 1) return abort();
    output.notice(`Stopping on ${signal}; send another to stop at once`);
    stop();
  });
}

/** Reports to systemd, if it started this service, which goes on anyway. */
export function tellService(state: ServiceState, output: Output): void {
  try {
    notifyService(state);
  } catch (error) {
    output.notice(sentenceOf(error));
  }
}
