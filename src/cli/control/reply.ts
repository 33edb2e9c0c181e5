/**
 * Checks replies that came through a control socket: what listens there may be
 * any program.
 *
 * @module
 */
import type { ImageSnapshot } from "../../backends/image_snapshots.ts";
import { CACHE_MODES, type CacheMode } from "../../export/export_context.ts";
import type { QueueTotals } from "../../queue/queue_statistics.ts";
import type { StatsSnapshot } from "../output/stats_printer.ts";
import { fromSparse } from "./sparse_histograms.ts";
import type { ControlCommand } from "./protocol.ts";

/** One export in the reply to `query`. */
export interface QueriedExport {
  /** The source, as it was given. */
  readonly source: string;
  /** The mount point. */
  readonly mountpoint: string;
  /** Bytes. */
  readonly size: number;
  /** Whether programs may write. */
  readonly writable: boolean;
  /** What the kernel caches of the file. */
  readonly cache: CacheMode;
}

/** The reply to each command that succeeded. */
export type CheckedReply =
  | { readonly command: "readonly" | "stop" }
  | {
    readonly command: "resize";
    readonly size: number;
    readonly mountpoint: string;
  }
  | {
    readonly command: "snapshot";
    /** Of the action `list`; `null` for another one. */
    readonly snapshots: readonly ImageSnapshot[] | null;
  }
  | { readonly command: "metrics"; readonly metrics: string }
  | { readonly command: "stats"; readonly snapshot: StatsSnapshot }
  | {
    readonly command: "query";
    readonly exports: readonly QueriedExport[];
    readonly statistics: readonly QueueTotals[];
    readonly droppedLines: number;
  };

/** The reply to a command that was refused. */
export interface Refusal {
  /** Why, in a sentence. */
  readonly error: string;
}

type Fields = Readonly<Record<string, unknown>>;

/**
 * Reads a reply.
 *
 * @param line The line that came.
 * @param command The command that it replies to.
 * @returns `null` if it is no reply to that command.
 */
export function checkReply(
  line: string,
  command: ControlCommand,
): CheckedReply | Refusal | null {
  const reply = parse(line);
  if (reply === null) return null;
  if (reply["ok"] === false && typeof reply["error"] === "string") {
    return { error: reply["error"] };
  }
  if (reply["ok"] !== true) return null;
  switch (command) {
    case "readonly":
    case "stop":
      return { command };
    case "resize":
      return resizeReply(reply);
    case "snapshot":
      return snapshotReply(reply);
    case "query":
      return queryReply(reply);
    case "metrics":
      return metricsReply(reply);
    case "stats":
      return statsReply(reply);
  }
}

function resizeReply({ size, mountpoint }: Fields): CheckedReply | null {
  return isCount(size) && isPath(mountpoint)
    ? { command: "resize", size, mountpoint }
    : null;
}

function snapshotReply({ snapshots }: Fields): CheckedReply | null {
  if (snapshots === undefined) return { command: "snapshot", snapshots: null };
  return Array.isArray(snapshots) && snapshots.every(isSnapshot)
    ? { command: "snapshot", snapshots }
    : null;
}

function isSnapshot(value: unknown): value is ImageSnapshot {
  if (!isFields(value)) return false;
  const { id, name, size, seconds } = value;
  return typeof id === "string" && typeof name === "string" && isCount(size) &&
    isCount(seconds) && seconds < 2 ** 32;
}

function queryReply(reply: Fields): CheckedReply | null {
  const { exports, statistics, output } = reply;
  const droppedLines = isFields(output) ? output["droppedLines"] : 0;
  const isQuery = Array.isArray(exports) && exports.every(isExport) &&
    Array.isArray(statistics) && statistics.every(isTotals) &&
    isCount(droppedLines);
  return isQuery
    ? { command: "query", exports, statistics, droppedLines }
    : null;
}

function metricsReply({ metrics }: Fields): CheckedReply | null {
  return typeof metrics === "string" ? { command: "metrics", metrics } : null;
}

function statsReply(reply: Fields): CheckedReply | null {
  const { at, bytesRead, bytesSpliced } = reply;
  const histograms = fromSparse(reply["histograms"]);
  const isStats = typeof at === "number" && isCount(bytesRead) &&
    isCount(bytesSpliced) && histograms !== null;
  return isStats
    ? {
      command: "stats",
      snapshot: { at, histograms, bytesRead, bytesSpliced },
    }
    : null;
}

function isExport(value: unknown): value is QueriedExport {
  if (!isFields(value)) return false;
  const { source, mountpoint, size, writable, cache } = value;
  return typeof source === "string" && isPath(mountpoint) && isCount(size) &&
    typeof writable === "boolean" && CACHE_MODES.some((mode) => mode === cache);
}

const TOTALS: readonly (keyof QueueTotals)[] = [
  "index",
  "requests",
  "reads",
  "writes",
  "bytesRead",
  "bytesSpliced",
  "bytesWritten",
  "errors",
];

function isTotals(value: unknown): value is QueueTotals {
  return isFields(value) && TOTALS.every((name) => isCount(value[name]));
}

function isCount(value: unknown): value is number {
  return Number.isSafeInteger(value) && value as number >= 0;
}

function isPath(value: unknown): value is string {
  return typeof value === "string" && value !== "" && !value.includes("\0");
}

function isFields(value: unknown): value is Fields {
  return typeof value === "object" && value !== null;
}

function parse(line: string): Fields | null {
  try {
    const value: unknown = JSON.parse(line);
    return isFields(value) ? value : null;
  } catch {
    return null;
  }
}
