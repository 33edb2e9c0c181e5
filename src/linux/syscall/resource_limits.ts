/**
 * Resource limits of this process: getrlimit(2), and the signal that enforces
 * one of them.
 *
 * @module
 */

import { listDirectory } from "./directory.ts";
import { errno, libc } from "./libc.ts";
import { credentials, hasCapability, isCaughtSignal } from "./process.ts";
import { resultOrNull, SystemError } from "./system_error.ts";

/** Numbers of resource limits, which x86_64 and aarch64 share. */
const RLIMIT = {
  /** Largest position in a file that can be written to, in bytes. */
  FSIZE: 1,
  /** Private writable memory in bytes, also if it is not resident. */
  DATA: 2,
  /** Threads of the user; ignored for root and with CAP_SYS_RESOURCE. */
  NPROC: 6,
  /** One more than the largest number of a descriptor. */
  NOFILE: 7,
  /** Locked memory in bytes; ignored with CAP_IPC_LOCK. */
  MEMLOCK: 8,
  /** Address space in bytes. */
  AS: 9,
} as const;

/** The name of a resource limit, without `RLIMIT_`. */
export type LimitName = keyof typeof RLIMIT;

/** A resource limit; `Infinity` for no limit. */
export interface ResourceLimit {
  /** What the kernel enforces. */
  readonly soft: number;
  /** What this process may raise the soft limit to. */
  readonly hard: number;
}

const RLIM_INFINITY = 2n ** 64n - 1n;

const SIGXFSZ = 25;
const SIG_IGN = 1n;

/** A resource limit of this process. */
export function resourceLimit(name: LimitName): ResourceLimit {
  // struct rlimit { rlim_t rlim_cur, rlim_max; }, both 64 bits.
  const limit = new BigUint64Array(2);
  if (libc().getrlimit(RLIMIT[name], limit) < 0) {
    throw failure("getrlimit", `read RLIMIT_${name}`);
  }
  return { soft: valueOf(limit[0]!), hard: valueOf(limit[1]!) };
}

/**
 * Raises a soft limit as far as the hard limit allows.
 *
 * @param name The limit.
 * @param need What it has to be at least; `Infinity` for as much as possible.
 * @returns The soft limit then: at least `need` unless the hard limit is less.
 */
export function raiseLimit(name: LimitName, need: number): number {
  const { soft, hard } = resourceLimit(name);
  if (soft >= need || hard <= soft) return soft;
  const raised = Math.min(need, hard);
  const limit = new BigUint64Array([wordOf(raised), wordOf(hard)]);
  if (libc().setrlimit(RLIMIT[name], limit) < 0) {
    throw failure("setrlimit", `raise RLIMIT_${name} to ${raised}`);
  }
  return raised;
}

/**
 * Raises the soft limit on open files, and as root the hard one too.
 *
 * @param wanted How many descriptors are wanted.
 * @returns The soft limit then.
 */
export function raiseOpenFiles(wanted: number): number {
  const { soft, hard } = resourceLimit("NOFILE");
  if (hard < wanted) {
    // Fails without CAP_SYS_RESOURCE, and above the sysctl fs.nr_open.
    const limit = new BigUint64Array([wordOf(soft), wordOf(wanted)]);
    libc().setrlimit(RLIMIT.NOFILE, limit);
  }
  return raiseLimit("NOFILE", wanted);
}

/**
 * Restores a limit that another program has lowered for this process, as far as
 * this process may. A hard limit can only be raised with CAP_SYS_RESOURCE.
 *
 * @param name The limit.
 * @param before What it was.
 */
export function restoreLimit(name: LimitName, before: ResourceLimit): void {
  const { soft, hard } = before;
  if (resourceLimit(name).soft >= soft) return;
  const limit = new BigUint64Array([wordOf(soft), wordOf(hard)]);
  if (libc().setrlimit(RLIMIT[name], limit) < 0) raiseLimit(name, soft);
}

/**
 * Whether the kernel does not apply a limit to this process.
 *
 * @throws {SystemError} If /proc is not mounted.
 */
export function isExemptFrom(name: "NPROC" | "MEMLOCK"): boolean {
  if (name === "MEMLOCK") return hasCapability("IPC_LOCK");
  //= kernel/fork.c copy_process(): the user of init is exempt.
  return credentials().uid === 0 || hasCapability("SYS_RESOURCE") ||
    hasCapability("SYS_ADMIN");
}

/** How many descriptors this process has. */
export function openDescriptors(): number {
  const open = resultOrNull(() => listDirectory("/proc/self/fd"));
  // Without a free descriptor, the directory cannot be opened. With one, it is
  // listed itself.
  return open === null ? resourceLimit("NOFILE").soft : open.length - 1;
}

/**
 * Ignores SIGXFSZ in this process, and in programs that it starts from now on,
 * unless the program handles that signal. Otherwise a write beyond RLIMIT_FSIZE
 * would end the process; now it fails with EFBIG, as setrlimit(2) says.
 */
export function ignoreFileSizeSignal(): void {
  if (!isCaughtSignal(SIGXFSZ)) libc().signal(SIGXFSZ, SIG_IGN);
}

function valueOf(word: bigint): number {
  return word === RLIM_INFINITY ? Infinity : Number(word);
}

function wordOf(value: number): bigint {
  return value === Infinity ? RLIM_INFINITY : BigInt(value);
}

function failure(call: string, action: string): SystemError {
  return new SystemError({ call, action, errno: errno() });
}
