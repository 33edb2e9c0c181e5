import { formatSize } from "../../backends/size.ts";
import type { CacheMode } from "../../export/export_context.ts";
import type { CacheState } from "../../session/cache.ts";
import type { ExportSession } from "../../session/export_session.ts";
import type { MountExportOptions } from "../../session/mount_export.ts";
import type { PassthroughState } from "../../session/passthrough.ts";
import type { TransportState } from "../../session/transport.ts";

/** What the kernel caches, in words. */
export const CACHE_NAMES: Readonly<Record<CacheMode, string>> = {
  none: "no cache",
  reads: "read cache",
  writeback: "write-back cache",
};

/** The facts about an export in the ready line and the ready event. */
export type ReadyFacts =
  & Pick<ExportSession, "source" | "mountpoint" | "size" | "writable">
  & Pick<ExportSession, "queues" | "singleQueueReason" | "mountMethod">
  & Pick<ExportSession, "allowOther" | "transport" | "splicing" | "passthrough">
  & Pick<ExportSession, "cache">
  & { readonly negotiated: Pick<ExportSession["negotiated"], "minor"> };

/** The options of the export in the ready line and the ready event. */
export type ReadyOptions = Pick<MountExportOptions, "growable" | "loopSafe">;

/**
 * The fields of the event `ready`.
 *
 * @param options How it is exported.
 */
export function readyEvent(
  facts: ReadyFacts,
  { growable = false, loopSafe = false }: ReadyOptions,
): Record<string, unknown> {
  const { mountpoint, source, size, writable, queues, transport } = facts;
  const { singleQueueReason, mountMethod, allowOther, passthrough } = facts;
  const { splicing, cache } = facts;
  return {
    mountpoint,
    source,
    size,
    writable,
    growable,
    loopSafe,
    queues,
    singleQueueReason,
    mountMethod,
    allowOther,
    minor: facts.negotiated.minor,
    transport,
    splicing,
    passthrough,
    cache,
    pid: Deno.pid,
  };
}

/**
 * One line that says what is exported, how, and how to stop it.
 *
 * @param options How it is exported.
 * @param mountpoint The mount point as the user wrote it.
 * @param pid The process that serves it.
 */
export function readyLine(
  facts: ReadyFacts,
  { growable, loopSafe }: ReadyOptions,
  mountpoint: string,
  pid: number = Deno.pid,
): string {
  const { source, size, writable, mountMethod, allowOther } = facts;
  const access = writable ? "read-write" : "read-only";
  const mode = access + (growable ? ", growable" : "") +
    (loopSafe ? ", loop-safe" : "");
  const byRoot = mountMethod === "mount";
  const unmount = byRoot ? "umount" : "fusermount3 -u";
  return `Exporting ${source} (${
    formatSize(size)
  }, ${mode}) at ${mountpoint}: ` +
    `${queuesText(facts)} ${transportText(facts.transport)}` +
    `${byRoot ? "" : ", mounted by fusermount3"}, ` +
    `FUSE 7.${facts.negotiated.minor}, ` +
    `allow-other ${allowOther ? "on" : "off"}` +
    `${passthroughText(facts.passthrough)}${cacheText(facts.cache)}; ` +
    `stop with Ctrl-C, 'kill ${pid}' or '${unmount} ${mountpoint}'`;
}

function queuesText({ queues, singleQueueReason }: ReadyFacts): string {
  if (singleQueueReason !== null) {
    return `1 queue (no more are possible: ${singleQueueReason})`;
  }
  return queues === 1 ? "1 queue" : `${queues} queues`;
}

function passthroughText({ kind, reason }: PassthroughState): string {
  if (kind === "on") return ", passthrough on";
  return reason === null ? "" : `, passthrough off (${reason})`;
}

function cacheText({ kind, reason }: CacheState): string {
  if (kind !== "none") return `, ${CACHE_NAMES[kind]}`;
  return reason === null ? "" : `, no cache (${reason})`;
}

/** How requests travel, in words. */
export function transportText(transport: TransportState): string {
  const { kind, reason, batching, whyNoBatches } = transport;
  if (kind === "uring") return "over io_uring";
  const why = reason === null ? "" : ` (no FUSE over io_uring: ${reason})`;
  if (batching) return `over /dev/fuse, in batches${why}`;
  return whyNoBatches === null
    ? `over /dev/fuse${why}`
    : `over /dev/fuse${why}, without batches (${whyNoBatches})`;
}
