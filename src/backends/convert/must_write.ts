import { ERRNO, errnoName } from "../../base/errno.ts";
import { UserError } from "../../base/user_error.ts";
import type { Backend } from "../backend.ts";

/**
 * Writes all bytes of a range.
 *
 * @throws {UserError} If that fails.
 */
export async function mustWrite(
  file: Backend,
  position: number,
  buffer: Uint8Array,
  start: number,
  length: number,
): Promise<void> {
  for (let done = 0; done < length;) {
    const at = position + done;
    const put = await file.write(at, buffer, start + done, length - done);
    if (put <= 0) throw cannotWrite(file.name, put < 0 ? -put : ERRNO.ENOSPC);
    done += put;
  }
}

/**
 * Waits until no write is under way any more.
 *
 * @throws {UserError} If one of them failed.
 */
export async function allWritten(
  writes: readonly Promise<void>[],
): Promise<void> {
  await Promise.allSettled(writes);
  await Promise.all(writes);
}

/**
 * The error of a target that cannot be written.
 *
 * @param name Its name.
 * @param error The errno.
 */
export function cannotWrite(name: string, error: number): UserError {
  return new UserError(
    `Cannot write to ${name} (${errnoName(error)}): ${adviceOn(error)}`,
  );
}

function adviceOn(error: number): string {
  switch (error) {
    case ERRNO.ENOSPC:
      return "its file system has no space left; free some, or choose another place";
    case ERRNO.EFBIG:
      return "a limit on the size of files is reached; run 'ulimit -f unlimited' before, or choose a file system that has larger files";
    default:
      return "check its storage, and the limits of its file system";
  }
}
