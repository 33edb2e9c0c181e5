/**
 * Looking at a mount whose server may hang, by a process that may hang instead.
 *
 * @module
 */

import { startChild } from "../syscall/child_process.ts";
import {
  closeDescriptor,
  OPEN,
  openDescriptor,
} from "../syscall/descriptor.ts";
import { SystemError } from "../syscall/system_error.ts";

const SHELL = "/bin/sh";
const PATIENCE_MS = 1000;

/**
 * Whether opening a path comes to an end soon, well or badly; then so will a
 * look at it by this thread.
 *
 * @param path An absolute path.
 * @returns False also where no process can be started.
 */
export function comesToAnEnd(path: string): boolean {
  const nothing = openDescriptor("/dev/null", OPEN.RDWR);
  try {
    const child = startChild({
      path: SHELL,
      args: [SHELL, "-c", ': <"$1"', "mqfuse-probe", path],
      environment: ["LC_ALL=C", "PATH=/usr/bin:/bin"],
      descriptors: [nothing, nothing, nothing],
    });
    const isOver = child.wait(PATIENCE_MS) !== null;
    child.kill();
    return isOver;
  } catch (error) {
    if (error instanceof SystemError) return false;
    throw error;
  } finally {
    closeDescriptor(nothing);
  }
}
