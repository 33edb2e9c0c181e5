import type { FileCache } from "../../filesystem/options.ts";
import { AUTO_UNMOUNTS } from "../../session/auto_unmount.ts";
import {
  DIRECT_WRITES,
  type MirrorMountOptions,
} from "../../session/mount_mirror.ts";
import { PASSTHROUGHS } from "../../session/passthrough.ts";
import {
  ALLOW_OTHER,
  checkPollUs,
  checkStopTimeout,
} from "../../session/session_options.ts";
import { BATCHING, TRANSPORTS } from "../../session/transport.ts";
import { type OptionName, UsageError } from "../arguments/options.ts";
import type { Arguments } from "../arguments/read_arguments.ts";
import {
  choiceOption,
  inUsage,
  secondsOption,
  sizeOption,
} from "../arguments/values.ts";
import { type TraceChoice, traceChoice } from "../service/serving.ts";
import { readTreeSource, type TreeSource } from "../trees/tree_source.ts";
import { mountOptionsOf, STATS_RANGE } from "./export_request.ts";

const USAGE = "usage: mount [OPTIONS] SOURCE MOUNTPOINT";
const FILE_CACHES: readonly FileCache[] = ["open", "keep", "none"];
const LIFETIME_RANGE = { min: 0, max: 2 ** 31 };

/** The command line of `mount`. */
export interface MountRequest {
  readonly tree: TreeSource;
  readonly mountpoint: string;
  /** The options of `mountMirror()`, without its callbacks. */
  readonly mount: MirrorMountOptions & { readonly stopTimeout: number };
  /** Where to write the process id; `null` for nowhere. */
  readonly pidfile: string | null;
  /** Seconds between two prints of statistics; `null` for none. */
  readonly stats: number | null;
  readonly trace: TraceChoice;
}

/**
 * Reads the command line of `mount`.
 *
 * @throws {UsageError} If it is wrong.
 */
export function readMountRequest(args: Arguments): MountRequest {
  const { flags, values } = args;
  const { tree, mountpoint } = operandsOf(args);
  const stats = secondsOption(args, "stats", STATS_RANGE);
  const pidfile = values.get("pidfile") ?? null;
  if (pidfile === mountpoint) {
    throw new UsageError(
      `Cannot use ${pidfile} for both the mount point and --pidfile: give each a path of its own`,
    );
  }
  const queueMemory = sizeOption(args, "queue-memory");
  const cache = choiceOption(args, "file-cache", FILE_CACHES);
  return {
    tree,
    mountpoint,
    mount: {
      ...flags.has("read-only") ? { writable: false } : {},
      ...lifetime(args, "attr-seconds", "attrSeconds"),
      ...lifetime(args, "entry-seconds", "entrySeconds"),
      ...lifetime(args, "negative-seconds", "negativeSeconds"),
      ...cache === null ? {} : { cache },
      ...queueMemory === null ? {} : { queueMemory },
      transport: choiceOption(args, "transport", TRANSPORTS) ?? "auto",
      batching: choiceOption(args, "batching", BATCHING) ?? "auto",
      passthrough: choiceOption(args, "passthrough", PASSTHROUGHS) ?? "auto",
      directWrites: choiceOption(args, "direct-writes", DIRECT_WRITES) ??
        "auto",
      autoUnmount: choiceOption(args, "auto-unmount", AUTO_UNMOUNTS) ?? "auto",
      pollUs: inUsage(() =>
        checkPollUs(values.get("poll-us") ?? "auto", "--poll-us")
      ),
      allowOther: choiceOption(args, "allow-other", ALLOW_OTHER) ?? "off",
      ...mountOptionsOf(values.get("mount-options")),
      insecurePath: flags.has("insecure-path"),
      stopTimeout: inUsage(() =>
        checkStopTimeout(values.get("stop-timeout"), "--stop-timeout")
      ),
      stats: stats !== null,
      wire: flags.has("wire"),
    },
    pidfile,
    stats,
    trace: traceChoice(args),
  };
}

function lifetime<Name extends string>(
  args: Arguments,
  option: OptionName,
  name: Name,
): { readonly [key in Name]?: number } {
  const seconds = secondsOption(args, option, LIFETIME_RANGE);
  return seconds === null
    ? {}
    : { [name]: seconds } as { readonly [key in Name]: number };
}

function operandsOf(
  { operands }: Arguments,
): Pick<MountRequest, "tree" | "mountpoint"> {
  const [source, mountpoint, more] = operands;
  if (!source) throw new UsageError(`Cannot mount without a SOURCE; ${USAGE}`);
  if (!mountpoint) {
    throw new UsageError(
      `Cannot mount ${source} without a MOUNTPOINT; ${USAGE}`,
    );
  }
  if (more !== undefined) {
    throw new UsageError(`Cannot use a third operand, ${more}; ${USAGE}`);
  }
  return { tree: readTreeSource(source), mountpoint };
}
