/**
 * Hiding secrets in the command line, which every user of the machine can read.
 *
 * @module
 */
import { resultOrNull } from "./system_error.ts";
import { readBytes } from "./text_file.ts";

/** Fields of proc_pid_stat(5), counted from the one after the program's name. */
const ARG_START = 45;
const ARG_END = 46;
const STAR = 0x2a;
const LATIN1 = new TextDecoder("latin1");

/** A URL: what comes before its secret, and the query, or the password. */
const QUERY = /(https?:\/\/[^?\0]*\?)([^\0]+)/gi;
const PASSWORD = /(https?:\/\/)([^/?#\0]+)@/gi;

/**
 * Overwrites what may be secret in the URLs of this process's arguments: what
 * follows a `?`, and a password. Does nothing if the arguments are not where the
 * kernel says.
 *
 * @param given `Deno.args`.
 */
export function hideQueries(given: readonly string[] = Deno.args): void {
  if (!given.some((text) => /https?:\/\/.*[?@]/is.test(text))) return;
  const { state } = Deno.permissions.querySync({ name: "ffi" });
  const memory = state === "granted" ? resultOrNull(argumentMemory) : null;
  if (memory === null) return;
  // One character for each byte.
  const text = LATIN1.decode(memory);
  for (const pattern of [QUERY, PASSWORD]) {
    for (const match of text.matchAll(pattern)) {
      const start = match.index + match[1]!.length;
      memory.fill(STAR, start, start + match[2]!.length);
    }
  }
}

/** The memory that the kernel shows; `null` if it is not what it should be. */
function argumentMemory(): Uint8Array | null {
  const stat = LATIN1.decode(readBytes("/proc/self/stat"));
  const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
  const [start, end] = [fields[ARG_START], fields[ARG_END]];
  if (start === undefined || end === undefined || start === "0") return null;
  const shown = readBytes("/proc/self/cmdline");
  const length = Number(BigInt(end) - BigInt(start));
  const address = Deno.UnsafePointer.create(BigInt(start));
  if (length !== shown.length || address === null) return null;
  const buffer = Deno.UnsafePointerView.getArrayBuffer(address, length);
  const memory = new Uint8Array(buffer);
  return memory.every((byte, at) => byte === shown[at]) ? memory : null;
}
