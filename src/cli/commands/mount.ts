import type { Session } from "../../session/session.ts";
import type { Arguments } from "../arguments/read_arguments.ts";
import type { Command, ExitCode } from "../command.ts";
import type { Output } from "../output/output.ts";
import { transportText } from "../output/ready_line.ts";
import { StatsDisplay } from "../output/stats_display.ts";
import { Pidfile } from "../service/pidfile.ts";
import {
  callbacksOf,
  stopOnSignals,
  tellEnd,
  tellService,
} from "../service/serving.ts";
import { TREE_SOURCES } from "../trees/tree_source.ts";
import { type MountRequest, readMountRequest } from "./mount_request.ts";

/** `mount`: mounts a tree of files until it is stopped. */
export const MOUNT: Command = {
  name: "mount",
  summary: "mount a tree of files: a directory, an archive, or your own",
  description:
    "Mounts SOURCE on MOUNTPOINT, an existing directory, until it is stopped by Ctrl-C, SIGTERM, SIGHUP or 'umount MOUNTPOINT'. A line on standard error says when it is ready. Root mounts by mount(2), other users by fusermount3.",
  operands: {
    SOURCE: "the tree: one of the sources below",
    MOUNTPOINT: "an existing directory, which the tree covers meanwhile",
  },
  lists: { Sources: TREE_SOURCES },
  options: [
    "read-only",
    "attr-seconds",
    "entry-seconds",
    "negative-seconds",
    "file-cache",
    "passthrough",
    "direct-writes",
    "auto-unmount",
    "allow-other",
    "mount-options",
    "insecure-path",
    "queue-memory",
    "transport",
    "batching",
    "poll-us",
    "pidfile",
    "stop-timeout",
    "stats",
    "json",
    "trace",
    "wire",
  ],
  optionHelp: {
    "allow-other":
      "allow access by other users, as far as the modes of the files allow it; without root this needs user_allow_other in /etc/fuse.conf (default: off)",
    "mount-options":
      "mount with these options of mount(8), separated by commas, such as noexec or dirsync (default: nosuid,nodev)",
    passthrough:
      "of mirror: let the kernel read and write the files by itself, as root; auto does so where it can (default: auto)",
    transport:
      "how requests reach the server: by /dev/fuse, or by FUSE over io_uring (default: auto, io_uring where this kernel has it enabled)",
  },
  examples: {
    "mount mirror:/srv/data mnt": "show a directory elsewhere",
    "mount -r --allow-other=on mirror:/srv/data mnt":
      "let everyone read it there",
    "mount zip:photos.zip mnt": "look into an archive",
    "mount fs:my_file_system.ts mnt": "mount a file system of your own",
  },
  run: runMount,
};

function runMount(args: Arguments, output: Output): Promise<ExitCode> {
  return serveTree(readMountRequest(args), output);
}

/** Mounts a tree, and serves it until it is stopped. */
export async function serveTree(
  request: MountRequest,
  output: Output,
): Promise<ExitCode> {
  output.neverWait();
  const pidfile = request.pidfile === null
    ? null
    : new Pidfile(request.pidfile, request.mount.insecurePath);
  let session: Session | null = null;
  const stopping = new AbortController();
  const stop = () => {
    if (!stopping.signal.aborted) tellService({ stopping: true }, output);
    stopping.abort();
    session?.close();
  };
  using _ = stopOnSignals(output, stop, () => void session?.abort());
  await using scope = new AsyncDisposableStack();
  scope.defer(() => pidfile?.remove());
  session = await mountTree(request, output);
  scope.use(session);
  pidfile?.write();
  let stats: StatsDisplay | null = null;
  if (stopping.signal.aborted) {
    session.close();
  } else {
    tellReady(request, session, output);
    if (request.stats !== null) {
      stats = scope.use(new StatsDisplay(session, output, request.stats));
    }
  }
  const report = await session.closed;
  if (!stopping.signal.aborted) tellService({ stopping: true }, output);
  stats?.finish();
  return tellEnd(report, stopping.signal.aborted, output);
}

function mountTree(
  { tree, mountpoint, mount, trace }: MountRequest,
  output: Output,
): Promise<Session> {
  const { stopTimeout } = mount;
  const callbacks = callbacksOf({ mountpoint, stopTimeout }, trace, output);
  return tree.mount(mountpoint, { ...mount, ...callbacks });
}

function tellReady(
  { tree, mountpoint }: MountRequest,
  session: Session,
  output: Output,
): void {
  const { source } = tree;
  const { mountMethod, allowOther, transport, negotiated } = session;
  const unmount = mountMethod === "mount" ? "umount" : "fusermount3 -u";
  const passthrough = session.passthrough.kind === "on" ? ", passthrough" : "";
  output.tell(
    "ready",
    {
      mountpoint: session.mountpoint,
      source,
      mountMethod,
      allowOther,
      minor: negotiated.minor,
      transport,
      passthrough: session.passthrough,
      pid: Deno.pid,
    },
    `Mounted ${source} at ${mountpoint}: ${
      transportText(transport)
    }, FUSE 7.${negotiated.minor}, allow-other ${
      allowOther ? "on" : "off"
    }${passthrough}; stop with Ctrl-C, 'kill ${Deno.pid}' or '${unmount} ${mountpoint}'`,
  );
  tellService({ ready: true, status: `Serving ${source}` }, output);
}
