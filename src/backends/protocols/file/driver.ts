import { errnoName } from "../../../base/errno.ts";
import { UserError } from "../../../base/user_error.ts";
import type { BlockFile, BlockFileStat } from "../../block_file.ts";
import type { ImageDriver, OpenContext } from "../../driver.ts";
import type { DriverServices } from "../../services.ts";
import { directAlignmentOf, DirectFile } from "./direct_file.ts";
import { FileBackend } from "./file_backend.ts";
import { AsyncFileBackend } from "./async_file_backend.ts";

/** An open file, for every thread. */
interface FileAttachment {
  readonly name: string;
  readonly writable: boolean;
  readonly fd: number;
  /** The same file opened with O_DIRECT; `null` without direct I/O. */
  readonly direct: { readonly fd: number; readonly alignment: number } | null;
}

/** Regular files and block devices: opened and locked once for all threads. */
export const FILE: ImageDriver<string, FileAttachment> = {
  kind: "protocol",
  name: "file",
  summary: "the bytes of a regular file or a block device",
  usage: null,
  prefixes: [],
  needs: ["descriptor"],
  direct: true,
  open(path, context) {
    const { options: { writable, lock }, services: { files } } = context;
    const file = files.open(path, { writable });
    context.defer(() => file.close());
    const stat = statOf(file, path);
    refuseToGrowDevice(path, stat, context);
    if (lock) files.lock(file, path, writable);
    const direct = openDirect(path, stat, context);
    const name = files.absolutePath(path);
    return {
      attachment: { name, writable, fd: file.fd, direct },
      name,
      file: { fd: file.fd, stat },
      releaseWriteLock() {
        if (lock && writable) files.releaseWriteLock(file, path);
      },
    };
  },
  attach(attachment, _below, services) {
    const { name, writable } = attachment;
    const file = wrap(attachment, services);
    const stat = file.fstat();
    // Calls on a file in memory never wait.
    const inMemory = typeof stat !== "number" && stat.inMemory === true;
    const io = inMemory ? null : services.fileIo();
    return io === null
      ? new FileBackend(file, name, writable)
      : new AsyncFileBackend({ file, io, name, writable });
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

function openDirect(
  path: string,
  stat: BlockFileStat,
  context: OpenContext,
): FileAttachment["direct"] {
  const { options: { direct, writable }, services: { files } } = context;
  if (!direct) return null;
  const alignment = directAlignmentOf(stat);
  if (alignment === 0) {
    throw new UserError(
      `Cannot use direct I/O on ${path}: its file system has none; leave direct and loop-safe off`,
    );
  }
  const file = files.open(path, { writable, direct: true });
  context.defer(() => file.close());
  return { fd: file.fd, alignment };
}

function wrap(
  { fd, direct }: FileAttachment,
  { files }: DriverServices,
): BlockFile {
  const cached = files.wrap(fd);
  return direct === null ? cached : new DirectFile({
    direct: files.wrap(direct.fd),
    cached,
    alignment: direct.alignment,
  });
}
