import { formatTrace, formatTraceJson } from "../protocol/trace.ts";
import type { TraceRecord } from "../protocol/trace_record.ts";
import { formatWireLine } from "../protocol/wire_log.ts";
import { type ExportSession, mountExport } from "../session/mount_export.ts";
import type { SessionReport } from "../session/session.ts";
import type { Command } from "./command.ts";
import { ControlServer } from "./control_server.ts";
import { EXIT, type ExitCode } from "./exit_code.ts";
import { type ExportRequest, readExportRequest } from "./export_options.ts";
import type { Arguments } from "./options.ts";
import type { Output } from "./output.ts";
import { Pidfile } from "./pidfile.ts";
import { readyLine } from "./ready_line.ts";
import { StatsDisplay } from "./stats_display.ts";
import { tellService } from "./service.ts";
import { onStopSignals } from "./stop_signals.ts";
import { queueTable } from "./table.ts";

/** `export`: shows an image until it is told to stop. */
export const EXPORT: Command = {
  name: "export",
  summary: "show a disk image as a plain file",
  description:
    "Shows the image SOURCE as a plain file at MOUNTPOINT, which has to be an existing file, until it is stopped by Ctrl-C, SIGTERM, SIGHUP or 'umount MOUNTPOINT'. A line on standard error says when it is ready. Without root, fusermount3 mounts. Sizes take the suffixes k, M, G, T, P and E, powers of 1024.",
  operands: {
    SOURCE:
      "a raw image file or block device; or memory:SIZE for a disk in memory, null:SIZE for one that reads as zeroes, pattern:SIZE for one whose bytes tell their position",
    MOUNTPOINT: "an existing plain file, which the image hides meanwhile",
  },
  options: [
    "queues",
    "writable",
    "growable",
    "writethrough",
    "offset",
    "size",
    "transport",
    "passthrough",
    "poll-us",
    "direct",
    "allow-other",
    "no-lock",
    "pidfile",
    "stats",
    "control",
    "json",
    "trace",
    "wire",
  ],
  examples: {
    "export disk.img mnt.img": "look into an image that cannot be written to",
    "export -w -q 4 disk.img mnt.img": "write to it, through four queues",
    "export --offset=1M --size=512M disk.img part.img":
      "show one partition of it",
    "export -w --growable memory:1G mnt.img": "a disk in memory that can grow",
  },
  run: runExport,
};

async function runExport(args: Arguments, output: Output): Promise<ExitCode> {
  const request = readExportRequest(args);
  const pidfile = request.pidfile === null
    ? null
    : new Pidfile(request.pidfile);
  let session: ExportSession | null = null;
  let stopping = false;
  const stop = () => {
    if (!stopping) tellService({ stopping: true }, output);
    stopping = true;
    session?.close();
  };
  // From before the mount: dying of a signal would leave that behind.
  using _ = onStopSignals((signal, count) => {
    if (count === 1) {
      output.notice(`Stopping on ${signal}; another one stops at once`);
      stop();
    } else {
      session?.abort();
    }
  });
  session = await mountExport(sessionOptions(request, output));
  using _last = unmountAtLast(session);
  await using scope = new AsyncDisposableStack();
  let stats: StatsDisplay | null = null;
  try {
    if (stopping) session.close();
    else {
      if (request.control !== null) {
        scope.use(new ControlServer(request.control, session, stop, output));
      }
      tellReady(request, session, output, pidfile);
      if (request.stats !== null) {
        stats = scope.use(new StatsDisplay(session, output, request.stats));
      }
    }
  } catch (error) {
    await session.close();
    throw error;
  }
  const report = await session.closed;
  if (!stopping) tellService({ stopping: true }, output);
  pidfile?.remove();
  stats?.finish();
  return tellEnd(report, stopping, output);
}

function sessionOptions(
  { size, trace, stats, ...request }: ExportRequest,
  output: Output,
): Parameters<typeof mountExport>[0] {
  return {
    ...request,
    ...size === null ? {} : { size },
    ...trace === "off"
      ? {}
      : { trace: (record) => tellMessage(record, output) },
    traceWire: trace === "wire",
    measuring: stats !== null,
    mayChange: request.control !== null,
    notice: (text) => output.notice(text),
    report: (during, message) =>
      output.error(`Cannot answer ${during}: ${message}`),
    warn: (text) => output.error(text),
  };
}

function tellMessage(record: TraceRecord, output: Output): void {
  if (record.wire !== undefined) {
    const { queue, direction, wire } = record;
    return output.print(formatWireLine({ queue, direction, bytes: wire }));
  }
  if (output.json) output.print(formatTraceJson(record));
  else output.say(formatTrace(record));
}

function tellReady(
  { writable, growable, mountpoint }: ExportRequest,
  session: ExportSession,
  output: Output,
  pidfile: Pidfile | null,
): void {
  pidfile?.write();
  const { source, size, queues, singleQueueReason, transport } = session;
  const { way, allowOther, passthrough } = session;
  const { minor } = session.negotiated;
  const ready = {
    source,
    size,
    writable,
    growable,
    queues,
    singleQueueReason,
    way,
    allowOther,
    minor,
    transport,
    passthrough,
  };
  output.event("ready", {
    mountpoint: session.mountpoint,
    ...ready,
    pid: Deno.pid,
  });
  output.say(readyLine({ ...ready, mountpoint, pid: Deno.pid }));
  tellService({ ready: true, status: `Exporting ${source}` }, output);
}

function tellEnd(
  { clean, problems, ends, queues }: SessionReport,
  stopping: boolean,
  output: Output,
): ExitCode {
  if (!stopping && clean) {
    const aborted = ends.some(({ reason }) => reason === "aborted");
    output.notice(aborted ? "The connection was aborted" : "Unmounted");
  }
  for (const problem of problems) output.error(problem);
  if (output.json) output.event("closed", { queues });
  else for (const line of queueTable(queues)) output.say(line);
  return clean ? EXIT.OK : EXIT.FAILURE;
}

/** Has every way out of the program take the mount down. */
function unmountAtLast(session: ExportSession): Disposable {
  const unmount = () => void session.abort();
  globalThis.addEventListener("unload", unmount);
  return {
    [Symbol.dispose]: () => globalThis.removeEventListener("unload", unmount),
  };
}
