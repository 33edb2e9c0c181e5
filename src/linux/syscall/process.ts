/**
 * Properties of this process: credentials, capabilities, environment.
 *
 * @module
 */

import { cString, textAt } from "./ffi_values.ts";
import { libc } from "./libc.ts";
import { pathKind } from "./paths.ts";
import { readText } from "./text_file.ts";

/** Bit numbers of capabilities(7). */
const CAP = {
  DAC_READ_SEARCH: 2n,
  SETGID: 6n,
  SETUID: 7n,
  IPC_LOCK: 14n,
  SYS_ADMIN: 21n,
  SYS_RESOURCE: 24n,
} as const;

// Mode of access(2).
const X_OK = 1;

/** The users and groups of a process: credentials(7). */
export interface Credentials {
  /** getuid(2): the real user. */
  readonly uid: number;
  /** getgid(2): the real group. */
  readonly gid: number;
  /** geteuid(2): the effective user, whose permissions apply. */
  readonly effectiveUid: number;
  /** getegid(2): the effective group, whose permissions apply. */
  readonly effectiveGid: number;
}

/** The users and groups of this process. */
export function credentials(): Credentials {
  const library = libc();
  return {
    uid: library.getuid(),
    gid: library.getgid(),
    effectiveUid: library.geteuid(),
    effectiveGid: library.getegid(),
  };
}

/** Yields the core to another thread that is ready to run: sched_yield(2). */
export function yieldCpu(): void {
  libc().sched_yield();
}

/**
 * Whether this process may call mount(2): CAP_SYS_ADMIN.
 *
 * @throws {SystemError} If /proc is not mounted.
 */
export function hasCapSysAdmin(): boolean {
  return hasCapability("SYS_ADMIN");
}

/**
 * Whether this process has a capability: `CapEff` of /proc/self/status.
 *
 * @param name Its name without `CAP_`.
 * @throws {SystemError} If /proc is not mounted.
 */
export function hasCapability(name: keyof typeof CAP): boolean {
  const status = readText("/proc/self/status");
  const effective = /^CapEff:\s*([0-9a-f]+)$/m.exec(status)?.[1] ?? "0";
  return ((BigInt(`0x${effective}`) >> CAP[name]) & 1n) === 1n;
}

/** The memory of a process as RLIMIT_AS and RLIMIT_DATA count it, in bytes. */
export interface MemoryUse {
  /** `VmSize`: address space. */
  readonly addressSpace: number;
  /** `VmData`: private writable memory. */
  readonly data: number;
}

/**
 * The memory of this process: /proc/self/status.
 *
 * @throws {SystemError} If /proc is not mounted.
 */
export function memoryUse(): MemoryUse {
  const status = readText("/proc/self/status");
  const bytes = (field: string) =>
    1024 *
    Number(new RegExp(`^${field}:\\s*(\\d+) kB$`, "m").exec(status)?.[1]);
  return { addressSpace: bytes("VmSize"), data: bytes("VmData") };
}

/**
 * Whether this process ignores a signal, as nohup(1) makes it do: `SigIgn` of
 * /proc/self/status.
 *
 * @param signal The number of the signal, signal(7).
 * @throws {SystemError} If /proc is not mounted.
 */
export function isIgnoredSignal(signal: number): boolean {
  return isInSignalMask("SigIgn", signal);
}

/**
 * Whether this process handles a signal: `SigCgt` of /proc/self/status.
 *
 * @param signal The number of the signal, signal(7).
 * @throws {SystemError} If /proc is not mounted.
 */
export function isCaughtSignal(signal: number): boolean {
  return isInSignalMask("SigCgt", signal);
}

/**
 * The permission bits that new files do not get, umask(2): `Umask` of
 * /proc/self/status.
 *
 * @throws {SystemError} If /proc is not mounted.
 */
export function modeMask(): number {
  const status = readText("/proc/self/status");
  const mask = /^Umask:\s*([0-7]+)$/m.exec(status)?.[1] ?? "022";
  return Number.parseInt(mask, 8);
}

/**
 * The value of an environment variable: getenv(3).
 *
 * @param name Its name.
 * @returns `null` if it is not set.
 */
export function environmentVariable(name: string): string | null {
  return textAt(libc().getenv(cString(name)));
}

/**
 * Sets an environment variable of this process, and of programs that it starts
 * or becomes: setenv(3).
 */
export function setEnvironmentVariable(name: string, value: string): void {
  libc().setenv(cString(name), cString(value), 1);
}

/**
 * Searches directories for a program, as a shell does.
 *
 * @param name Its name, such as `fusermount3`.
 * @param path The directories, colon-separated, `$PATH` by default. Relative
 * ones are skipped.
 * @returns Its absolute path, or `null`.
 */
export function findExecutable(
  name: string,
  path: string = environmentVariable("PATH") ?? "/usr/bin:/bin",
): string | null {
  for (const directory of path.split(":")) {
    if (!directory.startsWith("/")) continue;
    const candidate = `${directory}/${name}`;
    if (isExecutable(candidate)) return candidate;
  }
  return null;
}

/**
 * The release of the kernel, such as `6.18.44`: /proc/sys/kernel/osrelease.
 *
 * @throws {SystemError} If /proc is not mounted.
 */
export function kernelRelease(): string {
  return readText("/proc/sys/kernel/osrelease").trim();
}

function isInSignalMask(field: "SigIgn" | "SigCgt", signal: number): boolean {
  const status = readText("/proc/self/status");
  const mask = new RegExp(`^${field}:\\s*([0-9a-f]+)$`, "m").exec(status)?.[1];
  return ((BigInt(`0x${mask ?? "0"}`) >> BigInt(signal - 1)) & 1n) === 1n;
}

function isExecutable(path: string): boolean {
  // access(2) accepts directories too.
  return libc().access(cString(path), X_OK) === 0 &&
    pathKind(path) !== "directory";
}

/** Bytes of memory that programs can take: MemAvailable of proc_meminfo(5). */
export function availableMemory(): number {
  const text = readText("/proc/meminfo");
  return 1024 * Number(/^MemAvailable:\s*(\d+) kB$/m.exec(text)?.[1] ?? 0);
}
