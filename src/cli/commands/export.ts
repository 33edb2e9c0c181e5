import type { UnixListener } from "../../linux/socket/unix_listener.ts";
import { SOURCES } from "../../backends/registry.ts";
import type { ExportSession } from "../../session/export_session.ts";
import { mountExport } from "../../session/mount_export.ts";
import { restartLoopSafe } from "../../session/loop_safe.ts";
import type { Arguments } from "../arguments/read_arguments.ts";
import type { Command, ExitCode } from "../command.ts";
import { ControlServer, listenControl } from "../control/server.ts";
import type { Output } from "../output/output.ts";
import { readyEvent, readyLine } from "../output/ready_line.ts";
import { StatsDisplay } from "../output/stats_display.ts";
import { Pidfile } from "../service/pidfile.ts";
import {
  callbacksOf,
  stopOnSignals,
  tellEnd,
  tellService,
} from "../service/serving.ts";
import { type ExportRequest, readExportRequest } from "./export_request.ts";
import { HTTP_OPTIONS } from "./http_options.ts";
import { serveTree } from "./mount.ts";
import { readPartitionsRequest } from "./partitions_request.ts";

/** `export`: shows an image as a file until it is stopped. */
export const EXPORT: Command = {
  name: "export",
  summary: "show a disk image as a plain file",
  description:
    "Shows the image SOURCE as a plain file at MOUNTPOINT, an existing file, until it is stopped by Ctrl-C, SIGTERM, SIGHUP or 'umount MOUNTPOINT'. A line on standard error says when the file is ready. Root mounts by mount(2), other users by fusermount3. A SIZE may have a suffix k, M, G, T, P or E, for powers of 1024.",
  operands: {
    SOURCE: "the image: one of the sources below",
    MOUNTPOINT:
      "an existing plain file, which the image covers meanwhile; a directory with --partitions",
  },
  lists: { Sources: SOURCES },
  options: [
    "queues",
    "writable",
    "growable",
    "truncate",
    "writethrough",
    "partition",
    "partitions",
    "offset",
    "size",
    "snapshot",
    "backing",
    "overlay",
    "overlay-keep",
    "allow-reference",
    "reconnect",
    "cache-size",
    "tls-ca",
    "tls-cert",
    "tls-key",
    "tls-hostname",
    ...HTTP_OPTIONS,
    "queue-memory",
    "transport",
    "batching",
    "passthrough",
    "cache",
    "poll-us",
    "splice",
    "direct",
    "loop-safe",
    "allow-other",
    "uid",
    "gid",
    "mode",
    "mount-options",
    "insecure-path",
    "no-lock",
    "user",
    "group",
    "pidfile",
    "stop-timeout",
    "stats",
    "control",
    "json",
    "trace",
    "wire",
  ],
  examples: {
    "export disk.img mnt.img": "read an image, without changing it",
    "export -w -q 4 disk.img mnt.img": "write to it, through four queues",
    "export --partition=1 disk.img part.img": "export one partition of it",
    "export -w --growable memory:1G mnt.img": "a disk in memory that can grow",
  },
  run: runExport,
};

async function runExport(
  args: Arguments,
  output: Output,
  version: string,
): Promise<ExitCode> {
  if (args.flags.has("partitions")) {
    return await serveTree(readPartitionsRequest(args), output);
  }
  const request = readExportRequest(args);
  // Before anything is opened, which a restart would lose.
  if (request.mount.loopSafe) restartLoopSafe();
  output.neverWait();
  const pidfile = request.pidfile === null
    ? null
    : new Pidfile(request.pidfile, request.mount.insecurePath);
  let session: ExportSession | null = null;
  let stopping = false;
  const stop = () => {
    if (!stopping) tellService({ stopping: true }, output);
    stopping = true;
    session?.close();
  };
  using _ = stopOnSignals(output, stop, () => void session?.abort());
  await using scope = new AsyncDisposableStack();
  const control = listenOrRelease(request, pidfile);
  if (control !== null) scope.use(control);
  // What --user may no longer do once the file is served.
  const beforeServing = (opened: ExportSession) => {
    session = opened;
    if (stopping) return [];
    if (control !== null) {
      scope.use(new ControlServer(control, opened, { version, output, stop }));
    }
    pidfile?.write();
    return [request.control, request.pidfile].filter((path) => path !== null);
  };
  try {
    const { mount, trace } = request;
    const callbacks = callbacksOf(mount, trace, output);
    session = await mountExport({ ...mount, ...callbacks, beforeServing });
  } catch (error) {
    pidfile?.remove();
    throw error;
  }
  let stats: StatsDisplay | null = null;
  try {
    if (stopping) {
      session.close();
    } else {
      tellReady(request, session, output);
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

/**
 * Makes the control socket before anything is mounted, so that a path that cannot
 * be used is refused then. If it is, the pidfile is left as it was.
 */
function listenOrRelease(
  { control, mount: { insecurePath } }: ExportRequest,
  pidfile: Pidfile | null,
): UnixListener | null {
  if (control === null) return null;
  try {
    return listenControl(control, { insecurePath });
  } catch (error) {
    pidfile?.close();
    throw error;
  }
}

function tellReady(
  { mount }: ExportRequest,
  session: ExportSession,
  output: Output,
): void {
  output.tell(
    "ready",
    readyEvent(session, mount),
    readyLine(session, mount, mount.mountpoint),
  );
  const status = `Exporting ${session.source}`;
  tellService({ ready: true, status }, output);
}
