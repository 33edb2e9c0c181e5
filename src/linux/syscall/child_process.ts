/**
 * Programs started by posix_spawn(3): Deno's own way needs --allow-run.
 *
 * @module
 */

import { cString, pointerOf } from "./ffi_values.ts";
import { ERRNO } from "../../base/errno.ts";
import { errno, libc } from "./libc.ts";
import { SystemError } from "./system_error.ts";

// posix_spawn_file_actions_t has 80 bytes in glibc and in musl.
const FILE_ACTIONS_BYTES = 128;

const F_DUPFD_CLOEXEC = 1030;
const WNOHANG = 1;
const SIGKILL = 9;

const LOOK_AGAIN_MS = 1;

/** What to start, and with what. */
export interface ChildOptions {
  /** The program's absolute path. */
  readonly path: string;
  /** Its arguments, its own name first. */
  readonly args: readonly string[];
  /** Its whole environment, each `NAME=value`. */
  readonly environment: readonly string[];
  /**
   * Descriptors of this process that it gets as 0, 1, 2 and so on. It gets no
   * other that this program has opened: they are close-on-exec.
   */
  readonly descriptors: readonly number[];
}

/** How a program ended: one of the two is null. */
export interface ChildEnd {
  /** Its exit code. */
  readonly code: number | null;
  /** The signal that killed it. */
  readonly signal: number | null;
}

/** A program that was started. */
export interface Child {
  /** Its process's number. */
  readonly pid: number;
  /**
   * Waits for its end, in vain for as long as given at most; this thread does
   * nothing else meanwhile.
   *
   * @param limitMs Milliseconds; 0 only looks.
   * @returns `null` if it runs on.
   */
  wait(limitMs: number): ChildEnd | null;
  /** Kills it if it has not ended, and waits for that for a moment. */
  kill(): void;
}

/**
 * Starts a program.
 *
 * @param options What.
 * @throws {SystemError} With posix_spawn(3)'s errno: ENOENT, EACCES, ENOMEM.
 */
export function startChild(options: ChildOptions): Child {
  const copies: number[] = [];
  const actions = new Uint8Array(FILE_ACTIONS_BYTES);
  const library = libc();
  library.posix_spawn_file_actions_init(actions);
  try {
    options.descriptors.forEach((fd, target) => {
      // Above all targets, so that none is overwritten before it is used.
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
    action: `copy descriptor ${fd}`,
    errno: errno(),
  });
}

/** A `char *const []`, and what it points to. */
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
      wait(1000);
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
    // Somebody else has waited for it: there is nothing to learn any more.
    if (found < 0 && errno() !== ERRNO.EINTR) {
      return { code: null, signal: null };
    }
    if (performance.now() >= deadline) return null;
    // Nothing to look at: poll(2) of no descriptor is a sleep.
    libc().poll(null, 0n, LOOK_AGAIN_MS);
  }
}

// WIFEXITED and its like of <sys/wait.h>.
function endOf(status: number): ChildEnd {
  const signal = status & 0x7f;
  return signal === 0
    ? { code: (status >> 8) & 0xff, signal: null }
    : { code: null, signal };
}
