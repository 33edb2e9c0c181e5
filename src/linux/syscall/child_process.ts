/**
 * Child processes by posix_spawn(3), because `Deno.Command` needs --allow-run.
 *
 * @module
 */

import { ERRNO } from "../../base/errno.ts";
import { cString, pointerOf } from "./ffi_values.ts";
import { errno, libc } from "./libc.ts";
import { sleep } from "./poll.ts";
import { SystemError } from "./system_error.ts";

// posix_spawn_file_actions_t has 80 bytes in glibc and in musl.
const FILE_ACTIONS_BYTES = 128;

const F_DUPFD_CLOEXEC = 1030;
const WNOHANG = 1;
const SIGKILL = 9;

const POLL_INTERVAL_MS = 1;
const KILL_LIMIT_MS = 1000;

/** The program to start. */
export interface ChildOptions {
  /** Its absolute path. */
  readonly path: string;
  /** Its arguments, starting with its name. */
  readonly args: readonly string[];
  /** Its whole environment: `NAME=value` strings. */
  readonly environment: readonly string[];
  /**
   * Descriptors of this process that it inherits as 0, 1, 2 and so on. All
   * others are close-on-exec.
   */
  readonly descriptors: readonly number[];
}

/** How a child process ended. */
export interface ChildEnd {
  /** Its exit code; `null` if a signal killed it, or if it is unknown. */
  readonly code: number | null;
  /** The signal that killed it; `null` if none did, or if it is unknown. */
  readonly signal: number | null;
}

/** A child process. */
export interface Child {
  /** Its process id. */
  readonly pid: number;
  /**
   * Waits for its end and blocks this thread meanwhile.
   *
   * @param limitMs The longest wait in milliseconds; 0 does not wait.
   * @returns `null` if it is still running.
   */
  wait(limitMs: number): ChildEnd | null;
  /** Kills it unless it has ended, and waits up to a second for its end. */
  kill(): void;
}

/**
 * Starts a program.
 *
 * @param options The program.
 * @throws {SystemError} With the errno of posix_spawn(3): ENOENT, EACCES,
 * ENOMEM.
 */
export function startChild(options: ChildOptions): Child {
  const copies: number[] = [];
  const actions = new Uint8Array(FILE_ACTIONS_BYTES);
  const library = libc();
  library.posix_spawn_file_actions_init(actions);
  try {
    options.descriptors.forEach((fd, target) => {
      // Copied above all targets, so that no target overwrites a source.
      const copy = copyAbove(fd, options.descriptors.length);
      copies.push(copy);
      library.posix_spawn_file_actions_adddup2(actions, copy, target);
    });
    return childOf(spawn(options, actions));
  } finally {
    library.posix_spawn_file_actions_destroy(actions);
    for (const copy of copies) library.close(copy);
  }
}

function spawn(
  { path, args, environment }: ChildOptions,
  actions: Uint8Array<ArrayBuffer>,
): number {
  const pid = new Int32Array(new ArrayBuffer(4));
  const argv = stringArray(args);
  const envp = stringArray(environment);
  const error = libc().posix_spawn(
    new Uint8Array(pid.buffer),
    cString(path),
    actions,
    null,
    argv.pointers,
    envp.pointers,
  );
  // Keeps the memory alive until the call has returned.
  for (const text of [...argv.strings, ...envp.strings]) text.fill(0);
  if (error === 0) return pid[0]!;
  throw new SystemError({
    call: "posix_spawn",
    action: `start ${path}`,
    errno: error,
  });
}

function copyAbove(fd: number, least: number): number {
  const copy = libc().fcntl(fd, F_DUPFD_CLOEXEC, least);
  if (copy >= 0) return copy;
  throw new SystemError({
    call: "fcntl",
    action: `duplicate descriptor ${fd} for a child process`,
    errno: errno(),
  });
}

/** A `char *const []` and the strings that it points to. */
interface StringArray {
  readonly strings: readonly Uint8Array<ArrayBuffer>[];
  readonly pointers: BigUint64Array<ArrayBuffer>;
}

function stringArray(texts: readonly string[]): StringArray {
  const strings = texts.map(cString);
  const pointers = new BigUint64Array(new ArrayBuffer(8 * (texts.length + 1)));
  strings.forEach((text, index) => {
    pointers[index] = Deno.UnsafePointer.value(pointerOf(text));
  });
  return { strings, pointers };
}

function childOf(pid: number): Child {
  let end: ChildEnd | null = null;
  const wait = (limitMs: number) => end ??= waitFor(pid, limitMs);
  return {
    pid,
    wait,
    kill() {
      if (wait(0) !== null) return;
      libc().kill(pid, SIGKILL);
      wait(KILL_LIMIT_MS);
    },
  };
}

function waitFor(pid: number, limitMs: number): ChildEnd | null {
  const status = new Uint32Array(new ArrayBuffer(4));
  const bytes = new Uint8Array(status.buffer);
  const deadline = performance.now() + limitMs;
  for (;;) {
    const found = libc().waitpid(pid, bytes, WNOHANG);
    if (found === pid) return endOf(status[0]!);
    // ECHILD: other code of this process has reaped it.
    if (found < 0 && errno() !== ERRNO.EINTR) {
      return { code: null, signal: null };
    }
    if (performance.now() >= deadline) return null;
    sleep(POLL_INTERVAL_MS);
  }
}

// WIFEXITED, WEXITSTATUS and WTERMSIG of <sys/wait.h>.
function endOf(status: number): ChildEnd {
  const signal = status & 0x7f;
  return signal === 0
    ? { code: (status >> 8) & 0xff, signal: null }
    : { code: null, signal };
}
