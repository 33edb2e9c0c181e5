/**
 * Names and paths as arguments of system calls. They are encoded in memory that
 * is used again: an argument is valid until the next one of its kind.
 *
 * @module
 */
import { Errno } from "../base/errno.ts";
import { NAME_MAX, PATH_MAX } from "../base/limits.ts";
import { encodeName } from "../base/name_bytes.ts";

type Bytes = Uint8Array<ArrayBuffer>;

const ENCODER = new TextEncoder();
const PROC = ENCODER.encode("/proc/self/fd/");
const DIGIT_0 = 0x30;
const DIGITS_MAX = 10;

/** The empty path, by which a call means the descriptor itself. */
export const NO_NAME: Bytes = new Uint8Array(new ArrayBuffer(1));

/** The directory itself. */
export const DOT: Bytes = cBytes(".");

const first: Bytes = new Uint8Array(new ArrayBuffer(PATH_MAX + 1));
const second: Bytes = new Uint8Array(new ArrayBuffer(PATH_MAX + 1));
const number: Bytes = new Uint8Array(new ArrayBuffer(DIGITS_MAX + 1));
const procPath: Bytes = new Uint8Array(
  new ArrayBuffer(PROC.length + DIGITS_MAX + 1),
);
procPath.set(PROC);

/**
 * The name of a directory entry.
 *
 * @throws {Errno} EINVAL for a name that would lead out of the directory,
 * ENAMETOOLONG.
 */
export function nameArgument(name: string): Bytes {
  return encodeEntry(name, first);
}

/** A second name of the same call. */
export function secondNameArgument(name: string): Bytes {
  return encodeEntry(name, second);
}

/** The target of a symbolic link, or the name of an extended attribute. */
export function textArgument(text: string): Bytes {
  return encode(text, second, PATH_MAX - 1);
}

/** The name of a descriptor in /proc/self/fd. */
export function descriptorName(fd: number): Bytes {
  writeNumber(fd, number, 0);
  return number;
}

/** The path of a descriptor in /proc/self/fd, which leads to its file. */
export function descriptorPath(fd: number): Bytes {
  writeNumber(fd, procPath, PROC.length);
  return procPath;
}

function encodeEntry(name: string, into: Bytes): Bytes {
  if (name === "" || name === "." || name === ".." || name.includes("/")) {
    throw new Errno("EINVAL");
  }
  return encode(name, into, NAME_MAX);
}

function encode(text: string, into: Bytes, max: number): Bytes {
  if (text.includes("\0")) throw new Errno("EINVAL");
  if (text.isWellFormed()) {
    const { read, written } = ENCODER.encodeInto(text, into);
    if (read < text.length || written > max) throw new Errno("ENAMETOOLONG");
    into[written] = 0;
    return into;
  }
  const bytes = encodeName(text);
  if (bytes.length > max) throw new Errno("ENAMETOOLONG");
  into.set(bytes);
  into[bytes.length] = 0;
  return into;
}

function writeNumber(value: number, into: Bytes, start: number): void {
  let digits = 1;
  for (let rest = value; rest >= 10; digits++) rest = Math.floor(rest / 10);
  let rest = value;
  into[start + digits] = 0;
  for (let at = start + digits - 1; at >= start; at--) {
    into[at] = DIGIT_0 + rest % 10;
    rest = Math.floor(rest / 10);
  }
}

function cBytes(text: string): Bytes {
  const bytes = new Uint8Array(new ArrayBuffer(text.length + 1));
  ENCODER.encodeInto(text, bytes);
  return bytes;
}
