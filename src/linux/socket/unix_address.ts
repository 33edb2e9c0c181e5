/**
 * Addresses of unix(7): `struct sockaddr_un`.
 *
 * @module
 */

import {
  closeDescriptor,
  OPEN,
  openDescriptor,
  pathOfDescriptor,
} from "../syscall/descriptor.ts";
import { ERRNO } from "../../base/errno.ts";
import { SystemError } from "../syscall/system_error.ts";

const AF_UNIX = 1;

// struct sockaddr_un of <sys/un.h>: a family of 16 bits, then the path.
const PATH_OFFSET = 2;

/** The longest path of a unix socket, without a NUL behind it. Bytes. */
export const SOCKET_PATH_MAX = 107;

/**
 * The `struct sockaddr_un` of a path.
 *
 * @param path A path of at most {@linkcode SOCKET_PATH_MAX} bytes.
 * @returns Exactly as many bytes as `addrlen` has to say.
 * @throws {SystemError} ENAMETOOLONG, EINVAL.
 */
export function pathAddress(path: string): Uint8Array<ArrayBuffer> {
  return addressOf(path, `${path}\0`);
}

/**
 * The `struct sockaddr_un` of a name outside of the file system.
 *
 * @param name A name of at most {@linkcode SOCKET_PATH_MAX} bytes.
 * @returns Exactly as many bytes as `addrlen` has to say.
 * @throws {SystemError} ENAMETOOLONG, EINVAL.
 */
export function abstractAddress(name: string): Uint8Array<ArrayBuffer> {
  return addressOf(name, `\0${name}`);
}

function addressOf(name: string, text: string): Uint8Array<ArrayBuffer> {
  const bytes = new TextEncoder().encode(text);
  if (name === "" || name.includes("\0")) {
    throw addressError(name, ERRNO.EINVAL);
  }
  if (bytes.byteLength > SOCKET_PATH_MAX + 1) {
    throw addressError(name, ERRNO.ENAMETOOLONG);
  }
  const address = new Uint8Array(PATH_OFFSET + bytes.byteLength);
  new DataView(address.buffer).setUint16(0, AF_UNIX, true);
  address.set(bytes, PATH_OFFSET);
  return address;
}

/** Uses a path's address. */
// A longer path is reached through its directory's descriptor.
export function withAddress(
  path: string,
  use: (address: Uint8Array<ArrayBuffer>) => void,
): void {
  if (new TextEncoder().encode(path).byteLength <= SOCKET_PATH_MAX) {
    return use(pathAddress(path));
  }
  const slash = path.lastIndexOf("/");
  const directory = openDescriptor(path.slice(0, slash) || "/", OPEN.PATH);
  try {
    use(pathAddress(`${pathOfDescriptor(directory)}${path.slice(slash)}`));
  } finally {
    closeDescriptor(directory);
  }
}

function addressError(name: string, error: number): SystemError {
  return new SystemError({
    call: "bind",
    action: `use ${JSON.stringify(name)} as a socket's name`,
    errno: error,
    advice: error === ERRNO.ENAMETOOLONG
      ? `choose one of at most ${SOCKET_PATH_MAX} bytes`
      : undefined,
  });
}
