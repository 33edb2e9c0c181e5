/**
 * What this process may do, and what the kernel under it offers.
 *
 * @module
 */

import { cString, textAt } from "./ffi_values.ts";
import { pathKind } from "./paths.ts";
import { readText } from "./text_file.ts";
import { libc } from "./libc.ts";

// Bit of capabilities(7).
const CAP_SYS_ADMIN = 21n;

// Mode of access(2): may execute.
const X_OK = 1;

/** Who this process is: credentials(7). */
export interface Credentials {
  /** getuid(2): the real user. */
  readonly uid: number;
  /** getgid(2): the real group. */
  readonly gid: number;
  /** geteuid(2): the user whose permissions count. */
  readonly effectiveUid: number;
  /** getegid(2): the group whose permissions count. */
  readonly effectiveGid: number;
}

/** Who this process is. */
export function credentials(): Credentials {
  const library = libc();
  return {
    uid: library.getuid(),
    gid: library.getgid(),
    effectiveUid: library.geteuid(),
    effectiveGid: library.getegid(),
  };
}

/** Lets another thread that waits for this core have it: sched_yield(2). */
export function yieldCpu(): void {
  libc().sched_yield();
}

/**
 * Whether this process may mount: CAP_SYS_ADMIN in `CapEff` of
 * /proc/self/status.
 *
 * @throws {SystemError} If /proc is not mounted.
 */
export function hasCapSysAdmin(): boolean {
  const status = readText("/proc/self/status");
  const effective = /^CapEff:\s*([0-9a-f]+)$/m.exec(status)?.[1] ?? "0";
  return ((BigInt(`0x${effective}`) >> CAP_SYS_ADMIN) & 1n) === 1n;
}

/**
 * Whether this process was started with a signal ignored: `SigIgn` of
 * /proc/self/status.
 *
 * @param signal A number of signal(7).
 * @throws {SystemError} If /proc is not mounted.
 */
export function isIgnoredSignal(signal: number): boolean {
  const status = readText("/proc/self/status");
  const ignored = /^SigIgn:\s*([0-9a-f]+)$/m.exec(status)?.[1] ?? "0";
  return ((BigInt(`0x${ignored}`) >> BigInt(signal - 1)) & 1n) === 1n;
}

/**
 * A variable of the environment: getenv(3).
 *
 * @param name Its name.
 * @returns `null` if it is not set.
 */
export function environmentVariable(name: string): string | null {
  return textAt(libc().getenv(cString(name)));
}

/**
 * Finds a program as a shell would.
 *
 * @param name Its name, such as `fusermount3`.
 * @param path Directories, colon-separated; `$PATH` if left out. Relative ones
 * are passed over.
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
 * The kernel's release, such as `6.18.44`: /proc/sys/kernel/osrelease.
 *
 * @throws {SystemError} If /proc is not mounted.
 */
export function kernelRelease(): string {
  return readText("/proc/sys/kernel/osrelease").trim();
}

function isExecutable(path: string): boolean {
  // access(2) alone also accepts directories.
  return libc().access(cString(path), X_OK) === 0 &&
    pathKind(path) !== "directory";
}
