import type { ErrnoName } from "../base/errno.ts";
import { S_IF } from "../base/file_flags.ts";
import type { FileSystemContext } from "./context.ts";
import type { Caller, May } from "./file_system.ts";

/**
 * Creates anything but a symbolic link, without opening it: by the method for its
 * type, or by the one that stands in for it.
 *
 * @param mode Its type and permissions.
 * @param refusal The error if there is no such method.
 * @throws {Errno} `refusal`, or EROFS.
 */
export function makeNode<N extends object, H>(
  context: FileSystemContext<N, H>,
  directory: N,
  name: string,
  mode: number,
  rdev: number,
  caller: Caller,
  refusal: ErrnoName = "EPERM",
): May<N> {
  const { fs } = context;
  const type = mode & S_IF.MT;
  if (type === S_IF.DIR && fs.mkdir !== undefined) {
    return fs.mkdir(directory, name, mode, caller);
  }
  const hasMknod = fs.mknod !== undefined;
  if (type === S_IF.REG && fs.create !== undefined && !hasMknod) {
    return fs.create(directory, name, mode, caller);
  }
  if (fs.mknod === undefined) throw context.refusal(refusal);
  return fs.mknod(directory, name, mode, rdev, caller);
}
