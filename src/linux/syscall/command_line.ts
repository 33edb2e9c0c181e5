/**
 * The arguments of this program as bytes.
 *
 * @module
 */
import { decodeName } from "../../base/name_bytes.ts";
import { resultOrNull } from "./system_error.ts";
import { readBytes } from "./text_file.ts";

/** What Deno puts in place of bytes that are not UTF-8. */
const REPLACEMENT = "\ufffd";

/**
 * The arguments of this program: those that Deno gives, with the bytes that it
 * replaced because they are not UTF-8, as names have them.
 *
 * @param given `Deno.args`.
 */
export function commandLine(
  given: readonly string[] = Deno.args,
): readonly string[] {
  const isWhole = !given.some((argument) => argument.includes(REPLACEMENT));
  if (isWhole || !mayCallLibc()) return given;
  const text = resultOrNull(() => readBytes("/proc/self/cmdline"));
  if (text === null) return given;
  const all = splitArguments(text).slice(-given.length);
  // The arguments of the program are the last ones of the process.
  const isSame = given.every((argument, index) => {
    const bytes = all[index];
    return bytes !== undefined && new TextDecoder("utf-8", { ignoreBOM: true })
          .decode(bytes) === argument;
  });
  return isSame ? all.map(decodeName) : given;
}

function splitArguments(
  text: Uint8Array<ArrayBuffer>,
): Uint8Array<ArrayBuffer>[] {
  const all: Uint8Array<ArrayBuffer>[] = [];
  for (let start = 0; start < text.length;) {
    const end = text.indexOf(0, start);
    const stop = end < 0 ? text.length : end;
    all.push(text.subarray(start, stop));
    start = stop + 1;
  }
  return all;
}

/** Without the permission, the command says so itself if it needs it. */
function mayCallLibc(): boolean {
  return Deno.permissions.querySync({ name: "ffi" }).state === "granted";
}
