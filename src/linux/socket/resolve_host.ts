import { UserError } from "../../base/user_error.ts";
import { cString } from "../syscall/ffi_values.ts";
import { libc } from "../syscall/libc.ts";
import { SOCK } from "./socket.ts";

// struct addrinfo { int ai_flags, ai_family, ai_socktype, ai_protocol;
// socklen_t ai_addrlen; struct sockaddr *ai_addr; char *ai_canonname;
// struct addrinfo *ai_next; }
const ADDRINFO_SIZE = 48;
const FAMILY_AT = 4;
const SOCKTYPE_AT = 8;
const ADDRLEN_AT = 16;
const ADDR_AT = 24;
const NEXT_AT = 40;
const AI_ADDRCONFIG = 0x20;
const ADDRESSES_MAX = 16;

/** An address of a host: struct sockaddr. */
export interface HostAddress {
  /** AF_INET or AF_INET6. */
  readonly family: number;
  readonly bytes: Uint8Array<ArrayBuffer>;
}

/**
 * Finds the addresses of a host: getaddrinfo(3), in a thread of Deno's pool.
 *
 * @param host A name or an address.
 * @param port A port.
 * @param name What is being opened, in errors.
 * @throws {UserError} If there is no such host, or no answer in time.
 */
export async function resolveHost(
  host: string,
  port: number,
  name: string,
  limitMs: number,
): Promise<HostAddress[]> {
  const { getaddrinfo_nonblocking, freeaddrinfo } = libc();
  const hints = new DataView(new ArrayBuffer(ADDRINFO_SIZE));
  hints.setInt32(0, AI_ADDRCONFIG, true);
  hints.setInt32(SOCKTYPE_AT, SOCK.STREAM, true);
  const result = new BigUint64Array(new ArrayBuffer(8));
  const call = getaddrinfo_nonblocking(
    cString(host),
    cString(String(port)),
    new Uint8Array(hints.buffer),
    result,
  );
  const code = await withinTime(call, limitMs);
  if (code === null) {
    throw failure(name, `no name server answers about ${host}`);
  }
  if (code !== 0) throw failure(name, `there is no host ${host}`);
  const list = Deno.UnsafePointer.create(result[0]!);
  try {
    return addressesOf(list);
  } finally {
    freeaddrinfo(list);
  }
}

function addressesOf(list: Deno.PointerValue): HostAddress[] {
  const found: HostAddress[] = [];
  let next = list;
  while (next !== null && found.length < ADDRESSES_MAX) {
    const entry = new Deno.UnsafePointerView(next);
    const length = entry.getUint32(ADDRLEN_AT);
    const at = entry.getPointer(ADDR_AT);
    const bytes = new Uint8Array(length);
    if (at !== null) new Deno.UnsafePointerView(at).copyInto(bytes);
    found.push({ family: entry.getInt32(FAMILY_AT), bytes });
    next = entry.getPointer(NEXT_AT);
  }
  return found;
}

/** The result, or `null` if it does not come in time. */
async function withinTime<T>(
  call: Promise<T>,
  limitMs: number,
): Promise<T | null> {
  const { promise, resolve } = Promise.withResolvers<null>();
  const timer = setTimeout(() => resolve(null), limitMs);
  try {
    return await Promise.race([call, promise]);
  } finally {
    clearTimeout(timer);
  }
}

function failure(name: string, why: string): UserError {
  return new UserError(
    `Cannot open ${name}: ${why}; check the name and the network`,
  );
}
