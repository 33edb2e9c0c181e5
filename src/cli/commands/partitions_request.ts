import { parseSource } from "../../backends/registry.ts";
import { UsageError } from "../arguments/options.ts";
import type { Arguments } from "../arguments/read_arguments.ts";
import { inUsage } from "../arguments/values.ts";
import { type MountRequest, readMountRequest } from "./mount_request.ts";

/** What `export --partitions` can be told besides. */
const USABLE: ReadonlySet<string> = new Set([
  "partitions",
  "writable",
  "queue-memory",
  "transport",
  "batching",
  "poll-us",
  "allow-other",
  "mount-options",
  "insecure-path",
  "pidfile",
  "stop-timeout",
  "stats",
  "json",
  "trace",
  "wire",
]);

/**
 * Reads the command line of `export --partitions`, which mounts a directory.
 *
 * @throws {UsageError} If it is wrong, or has options of an export of one file.
 */
export function readPartitionsRequest(args: Arguments): MountRequest {
  const { flags, values, operands: [source, ...rest] } = args;
  for (const name of [...flags, ...values.keys()]) {
    if (USABLE.has(name)) continue;
    throw new UsageError(
      `Cannot use --${name} with --partitions: several files are exported, by one thread; leave one of them out`,
    );
  }
  if (source === undefined) {
    throw new UsageError(
      "Cannot export without a SOURCE; usage: export --partitions [OPTIONS] SOURCE DIRECTORY",
    );
  }
  inUsage(() => parseSource(source), "SOURCE");
  const operands = [`partitions:${source}`, ...rest];
  const request = readMountRequest({ ...args, operands });
  const writable = flags.has("writable");
  return { ...request, mount: { ...request.mount, writable } };
}
