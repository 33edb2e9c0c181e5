/**
 * The partitions of a disk as the files of a directory.
 *
 * @module
 */
import type { Answer, Backend } from "../../backends/backend.ts";
import { LOOK_OPTIONS } from "../../backends/driver.ts";
import { WindowBackend } from "../../backends/filters/window.ts";
import { type OpenImage, openImage } from "../../backends/open_image.ts";
import type { Partition } from "../../backends/partitions/partition_table.ts";
import { readPartitions } from "../../backends/partitions/read_partitions.ts";
import { transferAll } from "../../backends/transfer_all.ts";
import { Errno } from "../../base/errno.ts";
import { S_IF } from "../../base/file_flags.ts";
import { NAME_MAX } from "../../base/limits.ts";
import { encodeName } from "../../base/name_bytes.ts";
import { UserError } from "../../base/user_error.ts";
import type { Attr } from "../../filesystem/attr.ts";
import type { FileSystem, May } from "../../filesystem/file_system.ts";
import { credentials } from "../../linux/syscall/process.ts";
import { driverServices } from "../../session/driver_services.ts";
import type { MirrorMountOptions } from "../../session/mount_mirror.ts";
import type { Session } from "../../session/session.ts";
import { mountTree } from "./mount_tree.ts";

/** A file, a link to one, or the directory. */
interface PartitionNode {
  readonly attr: Attr;
  /** The partition; `null` of what is no file. */
  readonly backend: Backend | null;
  /** What a link leads to; "" of what is no link. */
  readonly target: string;
}

/**
 * Mounts the partitions of a disk on a directory, which this thread serves. Each
 * is a file whose name is its number; one that has a name is a link to it.
 *
 * @param source The disk, as users write it.
 * @throws {UserError} If it cannot be opened, or has no partitions.
 */
export async function mountPartitions(
  source: string,
  mountpoint: string,
  options: MirrorMountOptions,
): Promise<Session> {
  const { insecurePath = false, notice = () => {} } = options;
  const writable = options.writable === true;
  const image = await openImage(
    source,
    { ...LOOK_OPTIONS, lock: true, writable },
    driverServices({ insecurePath, tell: notice }),
  );
  try {
    const fs = await partitionTree(image, writable, notice);
    const session = await mountTree(fs, source, mountpoint, {
      ...options,
      cache: "none",
    });
    void session.closed.then(() => image.close());
    return session;
  } catch (error) {
    await image.close();
    throw error;
  }
}

/** The file system of the partitions of an open image. */
async function partitionTree(
  { backend, name, stat }: OpenImage,
  writable: boolean,
  tell: (text: string) => void,
): Promise<FileSystem<PartitionNode>> {
  const table = await readPartitions(backend, name);
  if (table === null) {
    throw new UserError(
      `Cannot export the partitions of ${name}: it has no partition table; leave --partitions out to export all of it`,
    );
  }
  for (const remark of table.remarks) {
    tell(`The partition table of ${name}: ${remark}`);
  }
  const { effectiveUid: uid, effectiveGid: gid } = credentials();
  const own = { uid, gid, mtime: stat.times?.mtime ?? 0n };
  const shown = table.partitions.filter(({ isExtended, offset, size }) =>
    !isExtended && offset + size <= stat.size
  );
  const entries = new Map<string, PartitionNode>();
  for (const { number, offset, size } of shown) {
    const mode = S_IF.REG | (writable ? 0o600 : 0o400);
    entries.set(`${number}`, {
      attr: { ...own, mode, size, blksize: 65_536 },
      backend: new WindowBackend(backend, { offset, size }),
      target: "",
    });
  }
  for (const { number, name } of shown.filter(hasFileName)) {
    // The first of several with one name has it, and no name hides a number.
    if (entries.has(name!)) continue;
    const size = `${number}`.length;
    entries.set(name!, {
      attr: { ...own, mode: S_IF.LNK | 0o777, size },
      backend: null,
      target: `${number}`,
    });
  }
  const root: PartitionNode = {
    attr: { ...own, mode: S_IF.DIR | 0o755, nlink: 2 },
    backend: null,
    target: "",
  };
  const tree = new ReadOnlyPartitions(root, entries);
  return writable ? new WritablePartitions(root, entries) : tree;
}

/** Whether the name of a partition can be that of a file. */
function hasFileName({ name }: Partition): boolean {
  return name !== null && !/^\.{1,2}$|\//.test(name) &&
    encodeName(name).length <= NAME_MAX;
}

class ReadOnlyPartitions implements FileSystem<PartitionNode> {
  readonly root: PartitionNode;
  readonly #entries: ReadonlyMap<string, PartitionNode>;

  constructor(
    root: PartitionNode,
    entries: ReadonlyMap<string, PartitionNode>,
  ) {
    this.root = root;
    this.#entries = entries;
  }

  getattr({ attr }: PartitionNode): Attr {
    return attr;
  }

  lookup(_directory: PartitionNode, name: string): PartitionNode | null {
    return this.#entries.get(name) ?? null;
  }

  readdir(): Iterable<readonly [string, PartitionNode]> {
    return this.#entries;
  }

  readlink({ target }: PartitionNode): string {
    return target;
  }

  read(node: PartitionNode, into: Uint8Array, offset: number): May<number> {
    const length = Math.min(into.length, sizeOf(node) - offset);
    if (length <= 0) return 0;
    return transferred(
      length,
      (done) => node.backend!.read(offset + done, into, done, length - done),
    );
  }
}

class WritablePartitions extends ReadOnlyPartitions {
  write(node: PartitionNode, data: Uint8Array, offset: number): May<number> {
    const length = Math.min(data.length, sizeOf(node) - offset);
    if (length <= 0) throw new Errno("ENOSPC");
    return transferred(
      length,
      (done) => node.backend!.write(offset + done, data, done, length - done),
    );
  }

  async fsync({ backend }: PartitionNode): Promise<void> {
    const result = await backend?.flush() ?? 0;
    if (result < 0) throw failure(result);
  }
}

function sizeOf({ attr }: PartitionNode): number {
  return Number(attr.size);
}

/** Transfers a range; an end before its end is an error too. */
async function transferred(
  length: number,
  call: (done: number) => Answer,
): Promise<number> {
  const done = await transferAll(length, call);
  if (done > 0) return done;
  throw done < 0 ? failure(done) : new Errno("EIO");
}

function failure(result: number): Error {
  const message = `The image failed with error ${-result}`;
  return Object.assign(new Error(message), { errno: -result });
}
