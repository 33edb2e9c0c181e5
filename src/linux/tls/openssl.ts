/**
 * OpenSSL's libssl, which is opened at first use, and its queue of errors.
 *
 * @module
 */
import { errnoName } from "../../base/errno.ts";
import { UserError } from "../../base/user_error.ts";
import { textAt } from "../syscall/ffi_values.ts";
import { OPENSSL_SYMBOLS } from "./openssl_symbols.ts";

/** The functions of OpenSSL that this program uses. */
export type OpenSsl = Deno.DynamicLibrary<typeof OPENSSL_SYMBOLS>["symbols"];

/** Version 3, and 1.1.1 of older systems. */
const CANDIDATES = ["libssl.so.3", "libssl.so.1.1"];

// A Worker may still use the library while the process ends.
const OPENSSL_INIT_NO_ATEXIT = 0x0008_0000n;

/** What OpenSSL says of a call that has failed. */
export interface OpenSslError {
  /** Its number within the part of the library that it comes from. */
  readonly reason: number;
  /** A few words. */
  readonly text: string;
}

let symbols: OpenSsl | undefined;

/**
 * OpenSSL. The first call in each thread opens it.
 *
 * @param name What is being opened, in errors.
 * @throws {UserError} If it is not installed.
 */
export function openSsl(name: string): OpenSsl {
  return symbols ??= openLibrary(CANDIDATES, name);
}

/** Takes the oldest error of this thread, which is the cause of the others. */
export function takeError(library: OpenSsl): OpenSslError {
  const code = library.ERR_get_error();
  library.ERR_clear_error();
  // Bits above these belong to the part of the library, and to flags.
  const reason = Number(code & 0xfffn);
  const text = textAt(library.ERR_reason_error_string(code));
  if (code === 0n) return { reason, text: "without a reason" };
  // Version 3 has no words for the errors of system calls.
  return { reason, text: text ?? errnoName(reason) };
}

/**
 * Opens the first of some libraries that is there.
 *
 * @param candidates File names, as the dynamic linker finds them.
 * @param name What is being opened, in errors.
 * @throws {UserError} If none is there.
 */
export function openLibrary(
  candidates: readonly string[],
  name: string,
): OpenSsl {
  for (const candidate of candidates) {
    try {
      const { symbols } = Deno.dlopen(candidate, OPENSSL_SYMBOLS);
      symbols.OPENSSL_init_crypto(OPENSSL_INIT_NO_ATEXIT, null);
      return symbols;
    } catch (error) {
      if (error instanceof Deno.errors.NotCapable) throw error;
    }
  }
  const names = candidates.join(" or ");
  throw new UserError(
    `Cannot open ${name}: TLS needs OpenSSL's ${names}, which is not there; install libssl3 (Debian, Ubuntu), openssl-libs (Fedora) or openssl (Arch)`,
  );
}
