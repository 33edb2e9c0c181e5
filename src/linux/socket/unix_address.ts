/**
 * Addresses of Unix sockets: `struct sockaddr_un`, unix(7).
 *
 * @module
 */

import { ERRNO } from "../../base/errno.ts";
import { encodeName } from "../../base/name_bytes.ts";
import { pathOfDescriptor } from "../syscall/descriptor.ts";
import { SystemError } from "../syscall/system_error.ts";

const AF_UNIX = 1;

// struct sockaddr_un { sa_family_t sun_family; char sun_path[108]; }
const PATH_OFFSET = 2;

/** The longest path of a Unix socket without its NUL, in bytes. */
const SOCKET_PATH_MAX = 107;

/**
 * The address of a path.
 *
 * @param path A path of at most `SOCKET_PATH_MAX` bytes.
 * @returns The struct; its length is `addrlen`.
 * @throws {SystemError} ENAMETOOLONG, EINVAL.
 */
export function pathAddress(path: string): Uint8Array<ArrayBuffer> {
  return addressOf(path, `${path}\0`);
}

/**
 * The address of a name in the abstract namespace.
 *
 * @param name A name of at most `SOCKET_PATH_MAX` bytes.
 * @returns The struct; its length is `addrlen`.
 * @throws {SystemError} ENAMETOOLONG, EINVAL.
 */
export function abstractAddress(name: string): Uint8Array<ArrayBuffer> {
  return addressOf(name, `\0${name}`);
}

function addressOf(name: string, text: string): Uint8Array<ArrayBuffer> {
  const bytes = encodeName(text);
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

/** Whether a path is short enough for {@linkcode pathAddress}. */
export function fitsAddress(path: string): boolean {
  return encodeName(path).byteLength <= SOCKET_PATH_MAX;
}

/**
 * The address of a socket that a descriptor is open on; it may have any name.
 *
 * @param fd An O_PATH descriptor.
 */
export function descriptorAddress(fd: number): Uint8Array<ArrayBuffer> {
  return pathAddress(pathOfDescriptor(fd));
}

function addressError(name: string, error: number): SystemError {
  return new SystemError({
    call: "bind",
    action: `use ${name} as the address of a socket`,
    errno: error,
    advice: error === ERRNO.ENAMETOOLONG
      ? `use one of at most ${SOCKET_PATH_MAX} bytes`
      : undefined,
  });
}
