import {
  initFlag,
  initFlagNames,
  type OfferedCapabilities,
  type WantedCapabilities,
} from "../../protocol/init.ts";
import { DRIVERS, parseSource, SOURCES } from "../../backends/registry.ts";
import { UserError } from "../../base/user_error.ts";
import type { InitFlagName } from "../../protocol/flags.ts";
import { DeviceQueue } from "../../queue/device_queue.ts";
import { handshake } from "../../queue/handshake.ts";
import {
  type FuseParameters,
  fuseParameters,
} from "../../linux/fuse/fuse_parameters.ts";
import { openFuseDevice } from "../../linux/fuse/fuse_device.ts";
import { ioUringRefusal, judgeUring } from "../../linux/fuse/uring_probe.ts";
import { usersMayAllowOther } from "../../linux/mount/fusermount.ts";
import { TRIED_ARCHITECTURE } from "../../linux/syscall/architecture.ts";
import { connectUnmounted } from "../../linux/mount/fs_context.ts";
import {
  credentials,
  findExecutable,
  hasCapSysAdmin,
  kernelRelease,
} from "../../linux/syscall/process.ts";
import { limitStates } from "../../session/limits.ts";
import { loopSafeObstacle } from "../../session/loop_safe.ts";
import { checkQueues } from "../../session/session_options.ts";
import { MAX_PAYLOAD } from "../../export/block_export.ts";
import { UsageError } from "../arguments/options.ts";
import { inUsage } from "../arguments/values.ts";
import type { Arguments } from "../arguments/read_arguments.ts";
import { type Command, EXIT, type ExitCode } from "../command.ts";
import { HTTP_OPTIONS } from "./http_options.ts";
import { runImageInfo } from "./info_image.ts";
import { type LimitFacts, limitFields, limitRows } from "./info_limits.ts";
import {
  type SplicingFacts,
  splicingFacts,
  splicingField,
  splicingText,
} from "./info_splicing.ts";
import type { Output } from "../output/output.ts";

/** `info`: prints what is possible here, or what an image is. */
export const INFO: Command = {
  name: "info",
  summary: "print what this machine can do, or what an image is",
  description:
    "Without an IMAGE, prints what this kernel offers to a FUSE server, what this user can do with it and what can be exported, with the reason where something is not possible. With an IMAGE, prints what it looks like, its size, and what its format says of it: snapshots, features, and the files that it refers to. Mounts nothing.",
  operands: { "[IMAGE]": "a path, or a source of export such as qcow2:PATH" },
  options: [
    "json",
    "map",
    "snapshot",
    "backing",
    "allow-reference",
    "tls-ca",
    "tls-cert",
    "tls-key",
    "tls-hostname",
    "insecure-path",
    ...HTTP_OPTIONS,
  ],
  optionHelp: {
    snapshot:
      "show an internal snapshot of the image, by its id or name (default: the current state)",
  },
  examples: {
    "info": "see whether this machine can export images",
    "info --json": "the same as one line of JSON",
    "info disk.img": "see what an image is",
    "info --map qcow2:disk.img": "see where its bytes are",
  },
  run: runInfo,
};

/** The kernel's offer when a FUSE connection starts. */
export interface KernelOffer {
  /** Why /dev/fuse cannot be used; `null` if it can be opened. */
  readonly device: string | null;
  /** The offered capabilities, or why they are unknown. */
  readonly offered: OfferedCapabilities | string;
}

/** The facts that `info` prints. */
export interface InfoFacts
  extends KernelOffer, FuseParameters, LimitFacts, SplicingFacts {
  /** Deno's version. */
  readonly deno: string;
  /** The kernel's release. */
  readonly kernel: string;
  /** The processor's architecture, as Deno names it. */
  readonly architecture: string;
  /** The effective user id. */
  readonly uid: number;
  /** Whether this process has CAP_SYS_ADMIN, and so can mount by itself. */
  readonly capSysAdmin: boolean;
  /** The path of fusermount3, which mounts for other users; else `null`. */
  readonly fusermount3: string | null;
  /** Why `--loop-safe` is not possible; `null` if it is. */
  readonly loopSafe: string | null;
  /** Whether /etc/fuse.conf has `user_allow_other`. */
  readonly userAllowOther: boolean;
  /** Why a queue waits for an image that does not answer; `null` if none does. */
  readonly fileIoBlocks: string | null;
}

/** The least that a handshake needs. */
const WANTED: WantedCapabilities = {
  flags: [],
  maxWrite: 4096,
  maxBackground: 1,
  congestionThreshold: 1,
};

const UNKNOWN = "unknown: the kernel could not be queried";

async function runInfo(
  args: Arguments,
  output: Output,
): Promise<ExitCode> {
  const [image, more] = args.operands;
  if (more !== undefined) {
    throw new UsageError(
      `Cannot use a second operand, ${more}; usage: info [OPTIONS] [IMAGE]`,
    );
  }
  if (image !== undefined) {
    inUsage(() => parseSource(image), "IMAGE");
    return await runImageInfo(args, image, output);
  }
  const needsImage = INFO.options.find((name) =>
    name !== "json" && (args.flags.has(name) || args.values.has(name))
  );
  if (needsImage !== undefined) {
    throw new UsageError(
      `Cannot use --${needsImage} without an IMAGE; usage: info [OPTIONS] [IMAGE]`,
    );
  }
  const facts: InfoFacts = {
    deno: Deno.version.deno,
    kernel: kernelRelease(),
    architecture: Deno.build.arch,
    uid: credentials().effectiveUid,
    ...await queryKernel(),
    capSysAdmin: hasCapSysAdmin(),
    fusermount3: findExecutable("fusermount3") ?? findExecutable("fusermount"),
    loopSafe: loopSafeObstacle(),
    userAllowOther: usersMayAllowOther(),
    fileIoBlocks: whyFileIoBlocks(),
    ...splicingFacts(),
    ...fuseParameters(),
    limits: [
      ...limitStates({
        workers: checkQueues(undefined, "queues"),
        queueMemory: null,
        maxPayload: MAX_PAYLOAD,
        direct: false,
      }),
    ],
  };
  if (output.json) output.event("info", infoEvent(facts));
  else for (const line of infoLines(facts)) output.print(line);
  return EXIT.OK;
}

/** Starts a connection that is mounted nowhere, and reads its INIT. */
async function queryKernel(): Promise<KernelOffer> {
  let device;
  try {
    device = openFuseDevice();
  } catch (error) {
    if (!(error instanceof UserError)) throw error;
    return { device: error.message, offered: error.message };
  }
  const queue = new DeviceQueue(device, { maxPayload: 4096 });
  try {
    using _ = connectUnmounted(device.fd);
    const { offered } = await handshake(queue, WANTED);
    return { device: null, offered };
  } catch (error) {
    if (!(error instanceof UserError)) throw error;
    return { device: null, offered: error.message };
  } finally {
    queue.close();
  }
}

/** The fields of the event `info`. */
export function infoEvent(facts: InfoFacts): Record<string, unknown> {
  const { offered, device, loopSafe, fileIoBlocks, limits, ...more } = facts;
  const { splice: _, cachestat: __, ...rest } = more;
  const known = typeof offered !== "string";
  return {
    ...rest,
    limits: limitFields({ limits }),
    canMount: canMount(facts),
    fileIo: { blocks: fileIoBlocks !== null, reason: fileIoBlocks },
    splice: splicingField(facts),
    device: { usable: device === null, reason: device },
    loopSafe: { possible: loopSafe === null, reason: loopSafe },
    protocol: known ? { major: offered.major, minor: offered.minor } : null,
    flags: known ? initFlagNames(offered.flags) : null,
    uring: known ? isOffered(offered, "OVER_IO_URING") : null,
    passthrough: known ? isOffered(offered, "PASSTHROUGH") : null,
    readCache: known ? isOffered(offered, "AUTO_INVAL_DATA") : null,
    writebackCache: known ? isOffered(offered, "WRITEBACK_CACHE") : null,
    drivers: DRIVERS.map(({ name, kind, usage, summary, needs }) => ({
      name,
      kind,
      usage,
      summary,
      needs,
    })),
    reason: known ? null : offered,
  };
}

/** The text that `info` prints: two columns. */
export function infoLines(facts: InfoFacts): string[] {
  const { uid, capSysAdmin, device, fusermount3 } = facts;
  const rows: [string, string][] = [
    ["Deno", facts.deno],
    ["Linux", facts.kernel],
    ["Processor", architectureText(facts)],
    ["User", uid === 0 ? "root" : `uid ${uid}`],
    ["CAP_SYS_ADMIN", capSysAdmin ? "yes" : "no, so fusermount3 has to mount"],
    ["/dev/fuse", device ?? "can be opened"],
    ["FUSE protocol", protocolText(facts)],
    ["fusermount3", fusermount3 ?? "not found (root does not need it)"],
    ["Allow-other", allowOtherText(facts)],
    ["Largest request", pagesText(facts.maxPagesLimit)],
    ["Background requests", backgroundText(facts.maxUserBackground)],
    ["io_uring", uringText(facts)],
    ["File I/O", fileIoText(facts)],
    ["Splice", splicingText(facts)],
    ["Passthrough", passthroughText(facts)],
    ["Read cache", offeredText(facts.offered, "AUTO_INVAL_DATA")],
    ["Write-back cache", offeredText(facts.offered, "WRITEBACK_CACHE")],
    ["Loop-safe", loopSafeText(facts)],
    ...limitRows(facts),
    ["Exports", exportsText(facts)],
    ["Sources", SOURCES.map(([usage]) => usage).join(", ")],
  ];
  const width = Math.max(...rows.map(([name]) => name.length));
  return rows.map(([name, text]) => `${name.padEnd(width)}  ${text}`);
}

function architectureText({ architecture }: InfoFacts): string {
  return architecture === TRIED_ARCHITECTURE
    ? architecture
    : `${architecture}, on which mqfuse has not been tried; its numbers agree with the kernel's headers`;
}

function canMount({ capSysAdmin, fusermount3, device }: InfoFacts): boolean {
  return (capSysAdmin || fusermount3 !== null) && device === null;
}

function allowOtherText({ capSysAdmin, userAllowOther }: InfoFacts): string {
  if (capSysAdmin || userAllowOther) return "possible";
  return "only for root: there is no line 'user_allow_other' in /etc/fuse.conf";
}

function loopSafeText({ loopSafe }: InfoFacts): string {
  return loopSafe === null ? "possible" : `not possible: ${loopSafe}`;
}

function exportsText(facts: InfoFacts): string {
  const { capSysAdmin, device } = facts;
  if (canMount(facts)) {
    return capSysAdmin ? "possible" : "possible, by fusermount3";
  }
  const missing = device === null ? "root or fusermount3" : "/dev/fuse";
  return `not possible without ${missing}; 'demo' runs on a simulated kernel`;
}

function protocolText({ device, offered }: InfoFacts): string {
  if (typeof offered !== "string") return `${offered.major}.${offered.minor}`;
  return device === null ? `unknown: ${offered}` : UNKNOWN;
}

function pagesText(pages: number | null): string {
  return pages === null
    ? "1 MiB (this kernel has no max_pages_limit)"
    : `${pages} pages (fs.fuse.max_pages_limit)`;
}

function backgroundText(count: number | null): string {
  return count === null
    ? "unknown"
    : `at most ${count} without CAP_SYS_ADMIN (max_user_bgreq)`;
}

function uringText({ offered, enableUring }: InfoFacts): string {
  if (enableUring === null) {
    return "not offered: this kernel has no FUSE over io_uring";
  }
  return enableUring
    ? offeredText(offered, "OVER_IO_URING")
    : "not offered: root can enable it with 'echo Y > /sys/module/fuse/parameters/enable_uring'";
}

/** Why an io_uring cannot be made for file I/O; `null` if it can. */
function whyFileIoBlocks(): string | null {
  const probe = judgeUring({ enableUring: true, refused: ioUringRefusal() });
  return probe.available ? null : probe.reason;
}

function fileIoText({ fileIoBlocks }: InfoFacts): string {
  return fileIoBlocks === null
    ? "by io_uring, so that a frozen image does not stop a queue"
    : `stops a queue while the image is frozen: ${fileIoBlocks}`;
}

function passthroughText({ offered, capSysAdmin }: InfoFacts): string {
  const text = offeredText(offered, "PASSTHROUGH");
  return text === "offered" && !capSysAdmin
    ? "offered, but it needs CAP_SYS_ADMIN"
    : text;
}

function offeredText(
  offered: OfferedCapabilities | string,
  name: InitFlagName,
): string {
  if (typeof offered === "string") return UNKNOWN;
  return isOffered(offered, name) ? "offered" : "not offered by this kernel";
}

function isOffered(
  { flags }: OfferedCapabilities,
  name: InitFlagName,
): boolean {
  return (flags & initFlag(name)) !== 0n;
}
