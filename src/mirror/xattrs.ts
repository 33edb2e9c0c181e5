/**
 * Extended attributes of host files. They are reached by /proc/self/fd, whose
 * links lead to the file itself, also to a symbolic link: xattr(7) has no calls
 * for O_PATH descriptors.
 *
 * @module
 */
import { ERRNO } from "../base/errno.ts";
import { XATTR_SIZE_MAX } from "../base/limits.ts";
import { decodeName } from "../base/name_bytes.ts";
import { pointerOf } from "../linux/syscall/ffi_values.ts";
import { errno, libc } from "../linux/syscall/libc.ts";
import { checked, failureOf } from "./failure.ts";
import { descriptorPath, textArgument } from "./names.ts";

const ROOM = BigInt(XATTR_SIZE_MAX);
const EMPTY = new Uint8Array(new ArrayBuffer(1));

let room: Uint8Array<ArrayBuffer> | undefined;

function sharedRoom(): Uint8Array<ArrayBuffer> {
  return room ??= new Uint8Array(new ArrayBuffer(XATTR_SIZE_MAX));
}

/** The value of an attribute; `null` if there is none. */
export function attributeOf(fd: number, name: string): Uint8Array | null {
  const into = sharedRoom();
  const length = libc().getxattr(
    descriptorPath(fd),
    textArgument(name),
    pointerOf(into),
    ROOM,
  );
  if (length >= 0) return into.slice(0, length);
  const error = errno();
  if (error === ERRNO.ENODATA) return null;
  throw failureOf(error);
}

/** Sets an attribute. */
export function setAttribute(
  fd: number,
  name: string,
  value: Uint8Array,
  flags: number,
): void {
  const bytes = value.length === 0 ? EMPTY : value as Uint8Array<ArrayBuffer>;
  const size = BigInt(value.length);
  const path = descriptorPath(fd);
  checked(libc().setxattr(path, textArgument(name), bytes, size, flags));
}

/** The names of all attributes. */
export function attributeNames(fd: number): string[] {
  const into = sharedRoom();
  const length = checked(libc().listxattr(descriptorPath(fd), into, ROOM));
  return decodeName(into.subarray(0, length)).split("\0").slice(0, -1);
}

/** Removes an attribute. */
export function removeAttribute(fd: number, name: string): void {
  checked(libc().removexattr(descriptorPath(fd), textArgument(name)));
}
