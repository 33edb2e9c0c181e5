import { ERRNO, errnoName } from "../../../base/errno.ts";
import { errnoOf } from "../../../base/errno_of.ts";
import { UserError } from "../../../base/user_error.ts";
import type { BlockFile, BlockFileStat } from "../../block_file.ts";
import type { ImageDriver, OpenContext } from "../../driver.ts";
import type { FileService, ImageServices } from "../../services.ts";
import { directAlignmentOf, DirectFile } from "./direct_file.ts";
import { FileBackend } from "./file_backend.ts";
import { AsyncFileBackend } from "./async_file_backend.ts";
import { LocalFileBackend } from "./local_file_backend.ts";
import { RemoteFileBackend } from "./remote_file_backend.ts";

/** An open file, for every thread. */
interface FileAttachment {
  readonly name: string;
  readonly writable: boolean;
  /** The first descriptor, which has the locks; threads open their own. */
  readonly fd: number;
  /** The alignment of direct I/O in bytes; `null` without direct I/O. */
  readonly alignment: number | null;
}

/**
 * Regular files and block devices, locked once for all threads. Each thread has
 * an open file description of its own, because the kernel tells each description
 * of a write-back error once.
 */
export const FILE: ImageDriver<string, FileAttachment> = {
  kind: "protocol",
  name: "file",
  summary: "the bytes of a regular file or a block device",
  usage: null,
  prefixes: [],
  needs: ["descriptor"],
  direct: true,
  countsSyncErrors: true,
  open(path, context) {
    const { options: { writable, lock }, services: { files } } = context;
    const file = files.open(path, { writable });
    context.defer(() => file.close());
    const stat = statOf(file, path);
    refuseToGrowDevice(path, stat, context);
    if (lock) files.lock(file, path, writable);
    const alignment = alignmentOf(path, stat, context);
    if (alignment !== null) tryDirectIo(file, path, alignment, context);
    const name = files.absolutePath(path);
    return {
      attachment: { name, writable, fd: file.fd, alignment },
      name,
      file: { fd: file.fd, stat },
      releaseWriteLock() {
        if (lock && writable) files.releaseWriteLock(file, path);
      },
    };
  },
  attach(attachment, _below, services) {
    const { name, writable, fd } = attachment;
    const first = services.files.wrap(fd);
    const counter = { first, errors: services.syncErrors };
    const file = reopen(attachment, services);
    const stat = file.fstat();
    const where = typeof stat === "number" ? "local" : stat.fileSystem;
    // Calls on a file in memory never wait.
    const io = where === "memory" ? null : services.fileIo();
    if (io === null) return new FileBackend(file, name, writable, counter);
    const options = { file, io, name, writable, counter };
    if (where === "remote") return new RemoteFileBackend(options);
    return attachment.alignment === null
      ? new LocalFileBackend(options)
      : new AsyncFileBackend(options);
  },
};

function statOf(file: BlockFile, path: string): BlockFileStat {
  const stat = file.fstat();
  if (typeof stat !== "number") return stat;
  throw new UserError(`Cannot stat ${path} (${errnoName(-stat)})`);
}

function refuseToGrowDevice(
  path: string,
  { kind }: BlockFileStat,
  { options: { growable } }: OpenContext,
): void {
  if (!growable || kind !== "block") return;
  throw new UserError(
    `Cannot make ${path} growable: a block device cannot grow; leave growable out`,
  );
}

/** The alignment of direct I/O; `null` if it is not used. */
function alignmentOf(
  path: string,
  stat: BlockFileStat,
  { options: { direct } }: OpenContext,
): number | null {
  if (!direct) return null;
  const alignment = directAlignmentOf(stat);
  if (alignment !== 0) return alignment;
  throw noDirectIo(path);
}

/**
 * Reads a block, because some file systems open a file for direct I/O and refuse
 * each transfer: the page cache would stand in for all of them later. A bad
 * sector there is no reason to refuse the image.
 */
function tryDirectIo(
  { fd }: BlockFile,
  path: string,
  alignment: number,
  { options: { writable }, services: { files } }: OpenContext,
): void {
  const file = openDirect(fd, path, writable, files);
  try {
    const read = files.probeDirect(file, alignment);
    if (read === -ERRNO.EINVAL || read === -ERRNO.EOPNOTSUPP) {
      throw noDirectIo(path);
    }
  } finally {
    file.close();
  }
}

function noDirectIo(path: string, cause?: unknown): UserError {
  return new UserError(
    `Cannot use direct I/O on ${path}: its file system has none; leave direct and loop-safe off`,
    { cause },
  );
}

/** Opens a file for direct I/O once more. */
function openDirect(
  fd: number,
  name: string,
  writable: boolean,
  files: FileService,
): BlockFile {
  try {
    return files.reopen(fd, name, { writable, direct: true });
  } catch (error) {
    // open(2) with O_DIRECT, where statx(2) does not tell it before.
    if (errnoOf(error) === ERRNO.EINVAL) throw noDirectIo(name, error);
    throw error;
  }
}

/** Opens the file for this thread, without its path, which may lead elsewhere. */
function reopen(
  { fd, name, writable, alignment }: FileAttachment,
  { files }: ImageServices,
): BlockFile {
  const cached = files.reopen(fd, name, { writable });
  if (alignment === null) return cached;
  try {
    const direct = openDirect(fd, name, writable, files);
    return new DirectFile({ direct, cached, alignment });
  } catch (error) {
    cached.close();
    throw error;
  }
}
