/**
 * The limits that are checked before anything is mounted: what a session needs
 * of each, and how to raise it. Messages and docs/SERVICES.md follow this table.
 *
 * @module
 */
import {
  ADDRESS_SPACE_PER_QUEUE,
  ADDRESS_SPACE_PER_SESSION,
  BACKGROUND_REQUESTS,
  DATA_PER_QUEUE,
  DATA_PER_SESSION,
  DESCRIPTORS_PER_DIRECT_QUEUE,
  DESCRIPTORS_PER_QUEUE,
  DESCRIPTORS_PER_SESSION,
  THREADS_PER_QUEUE,
  THREADS_PER_SESSION,
} from "./limit_needs.ts";

const MIB = 2 ** 20;

/** A limit. */
export interface LimitRow {
  /** Its name in messages. */
  readonly limit: string;
  /** What it counts, in messages. */
  readonly counts: string;
  /** What a session needs of that. */
  readonly need: string;
  /**
   * The command that sets it to a value in the unit of the command; `file` is
   * the file that holds it, if it has one.
   */
  readonly command: (value: number | string, file?: string) => string;
  /** The setting of a systemd unit; `null` without one. */
  readonly unit: string | null;
  /** Suffix of values of `unit`: K for KiB, the unit of the command too. */
  readonly suffix?: "K";
  /** What a session does without it; `null` if it is refused. */
  readonly otherwise: string | null;
}

/** All limits. */
export const LIMITS = {
  descriptors: {
    limit: "RLIMIT_NOFILE",
    counts: "open files",
    need:
      `those of Deno (about 25), ${DESCRIPTORS_PER_SESSION} more, and ${DESCRIPTORS_PER_QUEUE} a queue (${DESCRIPTORS_PER_DIRECT_QUEUE} with --direct)`,
    command: (value) => `ulimit -n ${value}`,
    unit: "LimitNOFILE",
    otherwise: null,
  },
  userThreads: {
    limit: "RLIMIT_NPROC",
    counts: "threads of the user",
    need:
      `those that run, ${THREADS_PER_SESSION} more, and ${THREADS_PER_QUEUE} a queue; root has no such limit`,
    command: (value) => `ulimit -u ${value}`,
    unit: "LimitNPROC",
    otherwise: null,
  },
  cgroupThreads: {
    limit: "pids.max",
    counts: "threads of a cgroup",
    need:
      `those that run, ${THREADS_PER_SESSION} more, and ${THREADS_PER_QUEUE} a queue`,
    command: (value, file = "FILE") => `echo ${value} > ${file}`,
    unit: "TasksMax",
    otherwise: null,
  },
  systemThreads: {
    limit: "kernel.threads-max",
    counts: "threads of the system",
    need:
      `those that run, ${THREADS_PER_SESSION} more, and ${THREADS_PER_QUEUE} a queue`,
    command: (value) => `sysctl kernel.threads-max=${value}`,
    unit: null,
    otherwise: null,
  },
  addressSpace: {
    limit: "RLIMIT_AS",
    counts: "bytes of address space",
    need: memoryNeed(
      "17.4 GiB",
      ADDRESS_SPACE_PER_SESSION,
      ADDRESS_SPACE_PER_QUEUE,
    ) +
      ", rounded up to whole GiB; with less than 36 GiB, Deno may not start",
    command: (value) => `ulimit -v ${value}`,
    unit: "LimitAS",
    suffix: "K",
    otherwise: null,
  },
  data: {
    limit: "RLIMIT_DATA",
    counts: "bytes of private memory",
    need: memoryNeed(
      "0.5 GiB",
      DATA_PER_SESSION,
      DATA_PER_QUEUE,
      " rounded up to whole 128 MiB",
    ) + "; most of it is never used",
    command: (value) => `ulimit -d ${value}`,
    unit: "LimitDATA",
    suffix: "K",
    otherwise: null,
  },
  locked: {
    limit: "RLIMIT_MEMLOCK",
    counts: "bytes of locked memory",
    need:
      "1.3 or 2.3 MiB a queue over /dev/fuse, at most 16 MiB a CPU over io_uring; with CAP_IPC_LOCK there is no such limit",
    command: (value) => `ulimit -l ${value}`,
    unit: "LimitMEMLOCK",
    suffix: "K",
    otherwise: "memory for requests may be swapped out",
  },
  background: {
    limit: "max_user_bgreq",
    counts: "background requests",
    need: `${BACKGROUND_REQUESTS}; with CAP_SYS_ADMIN there is no such limit`,
    command: (value) =>
      `echo ${value} > /sys/module/fuse/parameters/max_user_bgreq`,
    unit: null,
    otherwise: "fewer are in flight at once",
  },
  congestion: {
    limit: "max_user_congthresh",
    counts: "background requests before read-ahead stops",
    need: `${BACKGROUND_REQUESTS}; with CAP_SYS_ADMIN there is no such limit`,
    command: (value) =>
      `echo ${value} > /sys/module/fuse/parameters/max_user_congthresh`,
    unit: null,
    otherwise: "there is less read-ahead",
  },
  fileSize: {
    limit: "RLIMIT_FSIZE",
    counts: "bytes of a file that can be written to",
    need: "the size of a writable image in a plain file",
    command: () => "ulimit -f unlimited",
    unit: "LimitFSIZE",
    otherwise: "a write beyond the limit fails with EFBIG",
  },
} as const satisfies Record<string, LimitRow>;

/** A key of {@linkcode LIMITS}. */
export type LimitKey = keyof typeof LIMITS;

function memoryNeed(
  deno: string,
  perSession: number,
  perQueue: number,
  rounded = "",
): string {
  const each = `${perQueue / MIB} MiB a queue`;
  return `those of Deno (about ${deno})${rounded}, ${
    perSession / MIB
  } MiB more, ${each}, and --queue-memory`;
}

/** A limit of this process, and what a session needs of it. */
export interface LimitState {
  /** The limit. */
  readonly key: LimitKey;
  /** Its value, raised as far as this process may; `Infinity` for none. */
  readonly value: number;
  /** What it has to be at least. */
  readonly need: number;
  /** The file that holds it, if it has one. */
  readonly file?: string;
}

/**
 * How to raise a limit, as the end of a sentence.
 *
 * @param key The limit.
 * @param value The value that it needs: bytes for a limit of memory.
 * @param file The file that holds it, if it has one.
 */
export function howToRaise(
  key: LimitKey,
  value: number,
  file?: string,
): string {
  const { command, unit, suffix }: LimitRow = LIMITS[key];
  const number = suffix === "K" ? Math.ceil(value / 1024) : value;
  const run = command(number, file);
  const asRoot = /^(echo|sysctl)/.test(run) ? "as root " : "";
  const before = asRoot === "" ? " before" : "";
  const text = `${asRoot}run '${run}'${before}`;
  if (unit === null) return text;
  const setting = key === "fileSize" ? "infinity" : `${number}${suffix ?? ""}`;
  return `${text}, or set ${unit}=${setting} in a systemd unit`;
}

/** The rows of the table in docs/SERVICES.md. */
export function limitTable(): string[][] {
  return Object.values<LimitRow>(LIMITS).map((row) => [
    row.limit,
    row.counts,
    row.need,
    `\`${row.command(row.suffix === "K" ? "KIB" : "N")}\`${
      row.unit === null ? "" : `, \`${row.unit}=\``
    }`,
    row.otherwise ?? "the start is refused",
  ]);
}
