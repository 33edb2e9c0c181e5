/**
 * The trees that `mount` shows.
 *
 * @module
 */
import type { MirrorMountOptions } from "../../session/mount_mirror.ts";
import { mountMirror } from "../../session/mount_mirror.ts";
import type { Session } from "../../session/session.ts";
import { UsageError } from "../arguments/options.ts";
import { mountTar, mountZip } from "./archive_tree.ts";
import { mountModule } from "./module_tree.ts";
import { mountPartitions } from "./partition_tree.ts";

/** One kind of tree. */
interface TreeKind {
  /** What its sources begin with. */
  readonly prefix: string;
  /** How it is named on the command line. */
  readonly usage: string;
  /** What it is. */
  readonly summary: string;
  /** Mounts one; `what` follows the prefix. */
  readonly mount: (
    what: string,
    mountpoint: string,
    options: MirrorMountOptions,
  ) => Promise<Session>;
}

const KINDS: readonly TreeKind[] = [
  {
    prefix: "mirror:",
    usage: "mirror:DIR",
    summary: "a directory of this machine, as it is",
    mount: mountMirror,
  },
  {
    prefix: "zip:",
    usage: "zip:FILE",
    summary: "the files of a ZIP archive, read-only",
    mount: mountZip,
  },
  {
    prefix: "tar:",
    usage: "tar:FILE",
    summary: "the files of a tar archive that is not compressed, read-only",
    mount: mountTar,
  },
  {
    prefix: "partitions:",
    usage: "partitions:SOURCE",
    summary:
      "the partitions of a disk, a source of 'export', each as a file, read-only; 'export -w --partitions' lets programs write",
    mount: mountPartitions,
  },
  {
    prefix: "fs:",
    usage: "fs:MODULE",
    summary:
      "a file system of your own: a module, a path or URL, whose default export is a FileSystem or a function that returns one; needs --allow-read",
    mount: mountModule,
  },
];

/** Sources and what they are, for help texts. */
export const TREE_SOURCES: readonly (readonly [string, string])[] = KINDS.map((
  { usage, summary },
) => [usage, summary]);

/** A tree that can be mounted. */
export interface TreeSource {
  /** As the user wrote it. */
  readonly source: string;
  /** Mounts it. */
  readonly mount: (
    mountpoint: string,
    options: MirrorMountOptions,
  ) => Promise<Session>;
}

/**
 * Reads a SOURCE.
 *
 * @throws {UsageError} If it is none.
 */
export function readTreeSource(source: string): TreeSource {
  const kind = KINDS.find(({ prefix }) => source.startsWith(prefix));
  const what = source.slice(kind?.prefix.length ?? 0);
  if (kind === undefined || what === "") {
    const usages = KINDS.map(({ usage }) => usage).join(", ");
    throw new UsageError(
      `Cannot mount ${source}, which names no tree: expected one of ${usages} (a disk image is shown by 'export')`,
    );
  }
  return {
    source,
    mount: (mountpoint, options) => kind.mount(what, mountpoint, options),
  };
}
