import { UserError } from "../../../base/user_error.ts";
import type { FileService } from "../../services.ts";

const BYTES_MAX = 64 * 1024;

/**
 * Reads a file with secrets: they are on no command line, and no error quotes
 * them.
 *
 * @param role What the file is for, in errors.
 * @throws {UserError} If it cannot be read, or is no text of that size.
 */
export function readSecretFile(
  path: string,
  role: string,
  files: FileService,
): string {
  const file = files.open(path, { writable: false });
  try {
    const bytes = new Uint8Array(BYTES_MAX + 1);
    let length = 0;
    while (length < bytes.length) {
      const got = file.pread(bytes, length, bytes.length - length, length);
      if (got < 0) throw refusal(path, role, "it cannot be read");
      if (got === 0) break;
      length += got;
    }
    if (length > BYTES_MAX) {
      throw refusal(path, role, `it has more than ${BYTES_MAX} bytes`);
    }
    return new TextDecoder("utf-8", { fatal: true }).decode(
      bytes.subarray(0, length),
    );
  } catch (error) {
    if (error instanceof UserError) throw error;
    throw refusal(path, role, "it is no text in UTF-8");
  } finally {
    file.close();
  }
}

/** The error of a file with secrets. */
export function refusal(path: string, role: string, why: string): UserError {
  return new UserError(`Cannot use ${path} as ${role}: ${why}`);
}
