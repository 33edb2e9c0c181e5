import { parseSource } from "../../backends/registry.ts";
import { MAX_PAYLOAD } from "../../export/block_export.ts";
import { TRUNCATE_RULES } from "../../export/export_context.ts";
import { parseMountFlags } from "../../linux/mount/mount_flags.ts";
import { CACHES, checkCache } from "../../session/cache.ts";
import { checkMode, checkOwner } from "../../session/file_attributes.ts";
import type { MountExportOptions } from "../../session/mount_export.ts";
import { PASSTHROUGHS } from "../../session/passthrough.ts";
import { checkQueueMemory } from "../../session/queue_memory.ts";
import {
  ALLOW_OTHER,
  checkPollUs,
  checkQueues,
  checkStopTimeout,
} from "../../session/session_options.ts";
import { checkSplice, type SpliceChoice } from "../../session/splicing.ts";
import { BATCHING, TRANSPORTS } from "../../session/transport.ts";
import { UsageError } from "../arguments/options.ts";
import type { Arguments } from "../arguments/read_arguments.ts";
import {
  choiceOption,
  inUsage,
  readSize,
  secondsOption,
  sizeOption,
} from "../arguments/values.ts";
import { httpOptionsOf } from "./http_options.ts";
import { type TraceChoice, traceChoice } from "../service/serving.ts";

/** The interval of statistics in seconds. */
export const STATS_RANGE = { min: 0.1, max: 86400 };
/** How long a lost connection may be waited for, in seconds. */
const RECONNECT_RANGE = { min: 0, max: 86400 };
const USAGE = "usage: export [OPTIONS] SOURCE MOUNTPOINT";

/** The command line of `export`. */
export interface ExportRequest {
  /** The options of `mountExport()`, without its callbacks. */
  readonly mount: MountExportOptions & { readonly source: string };
  /** Where to write the process id; `null` for nowhere. */
  readonly pidfile: string | null;
  /** Seconds between two prints of statistics; `null` for none. */
  readonly stats: number | null;
  /** Where to listen for commands; `null` for nowhere. */
  readonly control: string | null;
  /** Whether to print each message as text or as bytes. */
  readonly trace: TraceChoice;
}

/**
 * Reads the command line of `export`.
 *
 * @throws {UsageError} If it is wrong.
 */
export function readExportRequest(args: Arguments): ExportRequest {
  const { flags, values } = args;
  checkWritable(args);
  checkFiles(args);
  const size = sizeOption(args, "size");
  if (size === 0) {
    throw new UsageError(
      "Cannot export 0 bytes of an image (--size=0): use a larger size, or leave --size out to export all of it",
    );
  }
  const truncate = choiceOption(args, "truncate", TRUNCATE_RULES);
  const stats = secondsOption(args, "stats", STATS_RANGE);
  const control = values.get("control") ?? null;
  const queues = inUsage(() => checkQueues(values.get("queues"), "--queues"));
  const cache = choiceOption(args, "cache", CACHES) ?? "none";
  inUsage(() =>
    checkCache(cache, {
      writable: isWritable(args),
      growable: flags.has("growable"),
      truncate: truncate ?? "refuse",
      writethrough: flags.has("writethrough"),
      loopSafe: flags.has("loop-safe"),
    })
  );
  const pollUs = values.get("poll-us") ?? "auto";
  return {
    mount: {
      ...operandsOf(args),
      queues,
      writable: isWritable(args),
      growable: flags.has("growable"),
      ...truncate === null ? {} : { truncate },
      writethrough: flags.has("writethrough"),
      ...textOption(args, "partition"),
      offset: sizeOption(args, "offset") ?? 0,
      ...size === null ? {} : { size },
      ...imageOptionsOf(args),
      ...tlsOptions(args),
      ...textOption(args, "overlay"),
      ...reconnectOption(args),
      ...httpOptionsOf(args),
      overlayKeep: flags.has("overlay-keep"),
      ...queueMemoryOption(args, queues),
      transport: choiceOption(args, "transport", TRANSPORTS) ?? "auto",
      batching: choiceOption(args, "batching", BATCHING) ?? "auto",
      passthrough: choiceOption(args, "passthrough", PASSTHROUGHS) ?? "off",
      cache,
      pollUs: inUsage(() => checkPollUs(pollUs, "--poll-us")),
      allowOther: choiceOption(args, "allow-other", ALLOW_OTHER) ?? "auto",
      ...spliceOption(args),
      ...attributesOf(args),
      ...mountOptionsOf(values.get("mount-options")),
      insecurePath: flags.has("insecure-path"),
      direct: flags.has("direct"),
      loopSafe: flags.has("loop-safe"),
      lock: !flags.has("no-lock"),
      ...textOption(args, "user"),
      ...textOption(args, "group"),
      stopTimeout: inUsage(() =>
        checkStopTimeout(values.get("stop-timeout"), "--stop-timeout")
      ),
      stats: stats !== null,
      control: control !== null,
      wire: flags.has("wire"),
    },
    pidfile: values.get("pidfile") ?? null,
    stats,
    control,
    trace: traceChoice(args),
  };
}

/** Reads the options of images with layers; those not given are left out. */
export function imageOptionsOf(
  args: Arguments,
): Pick<
  MountExportOptions,
  "snapshot" | "backing" | "allowReference" | "cacheSize"
> {
  const { values } = args;
  const backing = values.get("backing");
  const cacheSize = sizeOption(args, "cache-size");
  if (backing !== undefined) inUsage(() => parseSource(backing), "--backing");
  return {
    ...textOption(args, "snapshot"),
    ...backing === undefined ? {} : { backing },
    ...allowReferenceOption(args),
    ...cacheSize === null ? {} : { cacheSize },
  };
}

/** Reads `--allow-reference`; left out if it is not given. */
export function allowReferenceOption(
  { values }: Arguments,
): { readonly allowReference?: readonly string[] } {
  const list = values.get("allow-reference");
  return list === undefined ? {} : { allowReference: list.split(",") };
}

/** Reads how servers are reached by TLS; nothing that is not given. */
export function tlsOptions(
  { values }: Arguments,
): Pick<MountExportOptions, "tlsCa" | "tlsCert" | "tlsKey" | "tlsHostname"> {
  const option = <Key extends string>(key: Key, value: string | undefined) =>
    value === undefined ? {} : { [key]: value } as { [key in Key]: string };
  return {
    ...option("tlsCa", values.get("tls-ca")),
    ...option("tlsCert", values.get("tls-cert")),
    ...option("tlsKey", values.get("tls-key")),
    ...option("tlsHostname", values.get("tls-hostname")),
  };
}

/** Reads an option that is checked elsewhere; left out if it is not given. */
function textOption<
  Name extends "user" | "group" | "snapshot" | "overlay" | "partition",
>(
  { values }: Arguments,
  name: Name,
): { readonly [key in Name]?: string } {
  const value = values.get(name);
  return value === undefined
    ? {}
    : { [name]: value } as { readonly [key in Name]: string };
}

function queueMemoryOption(
  args: Arguments,
  queues: number,
): { readonly queueMemory?: number } {
  const bytes = sizeOption(args, "queue-memory");
  if (bytes === null) return {};
  const needs = { queues, maxPayload: MAX_PAYLOAD, name: "--queue-memory" };
  return { queueMemory: inUsage(() => checkQueueMemory(bytes, needs)) };
}

/** Reads `--reconnect`; nothing if it is not given. */
export function reconnectOption(
  args: Arguments,
): { readonly reconnect?: number } {
  const seconds = secondsOption(args, "reconnect", RECONNECT_RANGE);
  return seconds === null ? {} : { reconnect: Math.round(seconds) };
}

function spliceOption(
  args: Arguments,
): { readonly splice?: SpliceChoice } {
  const text = args.values.get("splice");
  if (text === undefined) return {};
  const isWord = text === "auto" || text === "off";
  const choice = isWord ? text : readSize(text, "--splice");
  return {
    splice: inUsage(() => checkSplice(choice, "--splice", MAX_PAYLOAD)),
  };
}

function attributesOf(
  { values }: Arguments,
): Pick<MountExportOptions, "uid" | "gid" | "mode"> {
  const uid = values.get("uid");
  const gid = values.get("gid");
  const mode = values.get("mode");
  return inUsage(() => ({
    ...uid === undefined ? {} : { uid: checkOwner(uid, "uid", "--uid") },
    ...gid === undefined ? {} : { gid: checkOwner(gid, "gid", "--gid") },
    ...mode === undefined ? {} : { mode: checkMode(mode, "--mode") },
  }));
}

/** Reads `--mount-options`; nothing if it is not given. */
export function mountOptionsOf(
  list: string | undefined,
): { readonly mountOptions?: string } {
  if (list === undefined) return {};
  inUsage(() => parseMountFlags(list, "--mount-options"));
  return { mountOptions: list };
}

/** An overlay is there to be written to. */
function isWritable({ flags, values }: Pick<Arguments, "flags" | "values">) {
  return flags.has("writable") || values.has("overlay");
}

/** Refuses options that only mean something with --writable, or without it. */
function checkWritable({ flags, values }: Arguments): void {
  const truncates = values.has("truncate");
  if (truncates && flags.has("growable")) {
    throw new UsageError(
      "Cannot use --truncate with --growable: a growable image is truncated like any file; leave one of them out",
    );
  }
  if (isWritable({ flags, values })) return;
  if (truncates) {
    throw new UsageError(
      "Cannot use --truncate without --writable: a read-only image is never truncated; add -w",
    );
  }
  if (flags.has("growable")) {
    throw new UsageError(
      "Cannot use --growable without --writable: a read-only image does not grow; add -w",
    );
  }
  if (flags.has("writethrough")) {
    throw new UsageError(
      "Cannot use --writethrough without --writable: a read-only image has no writes; add -w",
    );
  }
}

/** Refuses one path for two files; other names of a file are found later. */
function checkFiles({ operands: [, mountpoint], values }: Arguments): void {
  const uses = [
    ["the mount point", mountpoint],
    ["--control", values.get("control")],
    ["--pidfile", values.get("pidfile")],
  ] as const;
  for (const [index, [use, path]] of uses.entries()) {
    const other = uses.slice(index + 1).find(([, each]) => each === path);
    if (path === undefined || other === undefined) continue;
    throw new UsageError(
      `Cannot use ${path} for both ${use} and ${
        other[0]
      }: give each a path of its own`,
    );
  }
}

function operandsOf(
  { operands }: Arguments,
): { readonly source: string; readonly mountpoint: string } {
  const [source, mountpoint, more] = operands;
  if (!source) {
    throw new UsageError(`Cannot export without a SOURCE; ${USAGE}`);
  }
  if (!mountpoint) {
    throw new UsageError(
      `Cannot export ${source} without a MOUNTPOINT; ${USAGE}`,
    );
  }
  if (more !== undefined) {
    throw new UsageError(`Cannot use a third operand, ${more}; ${USAGE}`);
  }
  if (source === "-") {
    throw new UsageError(
      "Cannot export standard input: SOURCE must be a file or block device; write ./- for a file of that name",
    );
  }
  inUsage(() => parseSource(source), "SOURCE");
  return { source, mountpoint };
}
