/**
 * Exports that never wait for themselves, although a loop device, swap or a file
 * system lies on the exported file.
 *
 * @module
 */
import { UserError } from "../base/user_error.ts";
import {
  becomeIoFlusher,
  type IoFlusherState,
  ioFlusherState,
} from "../linux/syscall/io_flusher.ts";
import {
  environmentVariable,
  setEnvironmentVariable,
} from "../linux/syscall/process.ts";
import { restartProgram } from "../linux/syscall/restart.ts";

/** Holds the id of a process that has restarted itself. */
const RESTARTED = "MQFUSE_LOOP_SAFE_PID";

/** The usual sector of a loop device, in bytes. */
const SECTOR = 512;
/** Blocks of this size suit every storage, in bytes. */
const BLOCK = 4096;

const ACTION = "make the export loop-safe";
const OR_OFF = "or leave loop-safe off";

/** Why an export cannot be loop-safe, and what to do about it. */
interface Obstacle {
  readonly reason: string;
  readonly remedy: string;
}

const OBSTACLES: Readonly<Record<IoFlusherState, Obstacle | null>> = {
  on: null,
  off: null,
  "not permitted": {
    reason: "this process lacks CAP_SYS_RESOURCE",
    remedy: "run it with that capability",
  },
  unsupported: {
    reason: "this kernel has no PR_SET_IO_FLUSHER",
    remedy: "use Linux 5.6 or newer",
  },
};

/** Why an export cannot be loop-safe here; `null` if it can be. */
export function loopSafeObstacle(): string | null {
  return OBSTACLES[ioFlusherState()]?.reason ?? null;
}

/**
 * Restarts this program so that its exports can be loop-safe
 * (`MountExportOptions.loopSafe`); does nothing if it has been started so.
 *
 * The threads of Deno inherit how they allocate memory when they start, so the
 * process sets that for itself and then executes the same command line again.
 * Call it first in a program, on the main thread: nothing but the process id, the
 * environment and the standard streams stays. It needs CAP_SYS_RESOURCE.
 *
 * @throws {UserError} If that is not possible here.
 * @category Exports
 */
export function restartLoopSafe(): void {
  const state = ioFlusherState();
  if (state === "on") return;
  const obstacle = OBSTACLES[state];
  if (obstacle !== null) {
    const { reason, remedy } = obstacle;
    throw new UserError(`Cannot ${ACTION}: ${reason}; ${remedy}, ${OR_OFF}`);
  }
  if (environmentVariable(RESTARTED) === String(Deno.pid)) {
    throw new UserError(
      `Cannot ${ACTION}: the kernel has not kept the setting over a restart; use another kernel, ${OR_OFF}`,
    );
  }
  setEnvironmentVariable(RESTARTED, String(Deno.pid));
  becomeIoFlusher();
  restartProgram();
}

/**
 * Warns of storage on which a loop device with its usual sectors of 512 bytes
 * can make transfers that are too small for direct I/O.
 *
 * @param alignment The alignment of direct I/O on the image, in bytes; `null` if
 * the kernel does not say.
 * @returns A sentence, or `null` if every transfer is large enough.
 */
export function loopSafeNotice(alignment: number | null): string | null {
  if (alignment !== null && alignment <= SECTOR) return null;
  return `Direct I/O on the image may need whole blocks of ${
    alignment ?? BLOCK
  } bytes, and smaller transfers use the page cache: make a loop device on the export with 'losetup --sector-size=4096'`;
}

/**
 * Requires that this program has been restarted by
 * {@linkcode restartLoopSafe}, or started by a program that was.
 *
 * @throws {UserError} If it has not.
 */
export function requireLoopSafe(): void {
  if (ioFlusherState() === "on") return;
  throw new UserError(
    `Cannot ${ACTION}: the program was not started for it; call restartLoopSafe() first in the program, ${OR_OFF}`,
  );
}
