import { type Cell, ENGINES } from "./cells.ts";
import { type ClusterWrites, WRITE_STEP } from "./qcow2_images.ts";
import { spawnGroup } from "../servers/process_group.ts";

/** The figures of one run of fio. */
export interface FioFigures {
  /** Requests a second. */
  readonly iops: number;
  /** Bytes a second. */
  readonly bytesPerSecond: number;
  /** 99th percentile of the latency in microseconds. */
  readonly p99Us: number;
  /** Requests that were counted. */
  readonly requests: number;
  /** CPU microseconds of fio a request, in user and in kernel mode. */
  readonly clientUs: number;
  /** How often fio's jobs slept or were preempted, a request. */
  readonly switches: number;
}

/** One direction in fio's JSON. */
interface Direction {
  readonly iops: number;
  readonly "bw_bytes": number;
  readonly "total_ios": number;
  readonly "clat_ns": {
    readonly percentile?: Readonly<Record<string, number>>;
  };
}

/** Milliseconds that fio may take in addition to its own time. */
const GRACE_MS = 20_000;

/** How fio is run on a file. */
export interface FioRun {
  /** The file's size in bytes. */
  readonly size: number;
  /** Milliseconds of load. */
  readonly runtimeMs: number;
  /** Whether fio opens it with O_DIRECT. */
  readonly isDirect: boolean;
  /** The CPU that fio is confined to; any if left out. */
  readonly cpu?: number;
  /** In place of the runtime: writes that allocate clusters. */
  readonly clusterWrites?: ClusterWrites;
}

/** fio's arguments for a cell. */
export function fioArguments(
  cell: Cell,
  path: string,
  run: FioRun,
): string[] {
  const { isDirect, cpu } = run;
  const { fio, depth } = ENGINES[cell.engine];
  return [
    "--name=cell",
    `--filename=${path}`,
    `--rw=${cell.pattern}`,
    `--bs=${cell.blockSize}`,
    `--ioengine=${fio}`,
    `--iodepth=${depth}`,
    `--numjobs=${cell.jobs}`,
    `--direct=${Number(isDirect)}`,
    // Servers read the image through its page cache, which fio would empty.
    "--invalidate=0",
    "--allow_file_create=0",
    "--verify_state_save=0",
    ...extent(cell, run),
    "--group_reporting",
    "--randrepeat=0",
    "--output-format=json",
    ...cpu === undefined ? [] : [`--cpus_allowed=${cpu}`],
  ];
}

/** Which part of the file is used, and for how long. */
function extent(
  { jobs, blockSize }: Cell,
  { size, runtimeMs, clusterWrites }: FioRun,
): string[] {
  if (clusterWrites === undefined) {
    return [`--size=${size}`, "--time_based", `--runtime=${runtimeMs}ms`];
  }
  const { offset, span, writes } = clusterWrites;
  const clusters = Math.floor(span / WRITE_STEP / jobs);
  return [
    `--offset=${offset}`,
    `--offset_increment=${clusters * WRITE_STEP}`,
    `--size=${clusters * WRITE_STEP}`,
    `--blockalign=${WRITE_STEP}`,
    `--io_size=${Math.floor(writes / jobs) * blockSize}`,
  ];
}

/**
 * Reads fio's report of one group of jobs.
 *
 * @param text What it printed: JSON, possibly after other text.
 * @throws {Error} If there is no report, or it has an error or no request.
 */
export function parseFio(text: string): FioFigures {
  const start = text.indexOf("{");
  const report = start < 0 ? null : JSON.parse(text.slice(start));
  const job = report?.jobs?.[0];
  if (job === undefined) {
    throw new Error(`fio printed no report: ${text.trim()}`);
  }
  if (job.error !== 0) throw new Error(`fio failed with error ${job.error}`);
  const done = ([job.read, job.write] as Direction[])
    .find(({ total_ios: requests }) => requests > 0);
  if (done === undefined) throw new Error("fio completed no request");
  return {
    iops: done.iops,
    bytesPerSecond: done.bw_bytes,
    p99Us: (done.clat_ns.percentile?.["99.000000"] ?? 0) / 1000,
    requests: done.total_ios,
    // fio gives percents of the sum of its jobs' run times, in milliseconds.
    clientUs: (job.usr_cpu + job.sys_cpu) / 100 * job.job_runtime * 1000 /
      done.total_ios,
    switches: job.ctx / done.total_ios,
  };
}

/**
 * Runs fio on a file.
 *
 * @param cell The load.
 * @param path The file.
 * @param options How, a working directory for fio, and a signal that cancels
 * it.
 * @throws {Error} If it fails, hangs, or is cancelled.
 */
export async function runFio(
  cell: Cell,
  path: string,
  options: FioRun & {
    readonly directory: string;
    readonly signal: AbortSignal;
  },
): Promise<FioFigures> {
  const { directory, signal } = options;
  const limitMs = GRACE_MS + 2 * options.runtimeMs;
  const group = spawnGroup(["fio", ...fioArguments(cell, path, options)], {
    directory,
  });
  const kill = () => group.kill("SIGKILL");
  signal.addEventListener("abort", kill);
  const timer = setTimeout(kill, limitMs);
  try {
    const isOver = await group.ended(limitMs + 5000);
    signal.throwIfAborted();
    if (!isOver) throw new Error("fio hangs and cannot be killed");
    if (group.signal !== null) {
      throw new Error(`fio did not end within ${limitMs / 1000} s`);
    }
    const { stdout, stderr } = await group.output();
    try {
      return parseFio(stdout);
    } catch (error) {
      const said = stderr.trim().split("\n")[0];
      throw new Error(`${(error as Error).message} (${said})`);
    }
  } finally {
    clearTimeout(timer);
    signal.removeEventListener("abort", kill);
  }
}
