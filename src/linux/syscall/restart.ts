/**
 * Starting this program again in the same process: execve(2).
 *
 * @module
 */

import { cString, pointerOf } from "./ffi_values.ts";
import { errno, libc } from "./libc.ts";
import { readLink } from "./paths.ts";
import { SystemError } from "./system_error.ts";
import { readBytes } from "./text_file.ts";

/** The program that this process runs, even if its file has been replaced. */
const SELF = "/proc/self/exe";

/**
 * Starts this program again with the same command line and environment. The
 * process id stays, and so do the attributes of the calling thread that
 * execve(2) preserves; all other threads, and descriptors that are
 * close-on-exec, are gone.
 *
 * @returns Never, if it succeeds.
 * @throws {SystemError} With the errno of readlink(2), open(2) or execve(2).
 */
export function restartProgram(): never {
  const text = readBytes("/proc/self/cmdline");
  const argv = argumentVector(text);
  const library = libc();
  // By its own name, because the name becomes that of the process.
  library.execv(cString(readLink(SELF)), argv);
  library.execv(cString(SELF), argv);
  const error = errno();
  // Keeps the text alive until the calls have returned.
  text.fill(0);
  throw new SystemError({
    call: "execv",
    action: "start this program again",
    errno: error,
  });
}

/** A `char *const []` of strings that each end with a NUL. */
function argumentVector(text: Uint8Array): BigUint64Array<ArrayBuffer> {
  const base = BigInt(Deno.UnsafePointer.value(pointerOf(text)));
  const starts: bigint[] = [];
  for (let at = 0; at < text.length; at = text.indexOf(0, at) + 1) {
    starts.push(base + BigInt(at));
  }
  return new BigUint64Array([...starts, 0n]);
}
