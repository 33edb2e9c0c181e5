/**
 * Addresses of Unix sockets: `struct sockaddr_un`, unix(7).
 *
 * @module
 */

import { ERRNO } from "../../base/errno.ts";
import { encodeName } from "../../base/name_bytes.ts";
import {
  closeDescriptor,
  OPEN,
  openDescriptor,
  pathOfDescriptor,
} from "../syscall/descriptor.ts";
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

/**
 * Passes the address of a path to a function. A path that is too long for an
 * address is replaced by one through a descriptor of its directory, which is
 * open while the function runs.
 */
export function withAddress(
  path: string,
  use: (address: Uint8Array<ArrayBuffer>) => void,
): void {
  if (encodeName(path).byteLength <= SOCKET_PATH_MAX) {
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
    action: `use ${JSON.stringify(name)} as the address of a socket`,
    errno: error,
    advice: error === ERRNO.ENAMETOOLONG
      ? `use one of at most ${SOCKET_PATH_MAX} bytes`
      : undefined,
  });
}
