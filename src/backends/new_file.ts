/**
 * Filling the file of a new image, so that an error leaves nothing behind.
 *
 * @module
 */
import { errnoName } from "../base/errno.ts";
import { UserError } from "../base/user_error.ts";
import type { Backend } from "./backend.ts";
import type { NewImageOptions } from "./driver.ts";
import { FileBackend } from "./protocols/file/file_backend.ts";
import type { CreatedFile } from "./block_file.ts";
import type { FileService } from "./services.ts";

/** Bytes of zeroes that are written at once. */
const ZEROES = new Uint8Array(1 << 20);

/**
 * Makes a file, and lets a function fill it. If that fails, the file is removed.
 *
 * @param path Where.
 * @param files Makes it.
 * @param fill Fills it; it need not flush.
 * @throws {UserError} If it cannot be made or filled.
 */
export async function makeFile(
  path: string,
  files: FileService,
  fill: (file: Backend, created: CreatedFile) => Promise<void>,
): Promise<void> {
  const created = files.create(path);
  const file = new FileBackend(created.file, path, true);
  try {
    await fill(file, created);
    await mustSucceed(file.flush(), path);
    await mustSucceed(created.syncName(), path);
  } catch (error) {
    created.remove();
    throw error;
  } finally {
    created.close();
  }
}

/**
 * Reserves space from a position to the end of a file that has its size already.
 *
 * @throws {UserError} If there is no space, or the file system cannot.
 */
export async function reserve(
  file: Backend,
  from: number,
  to: number,
  preallocation: NewImageOptions["preallocation"],
): Promise<void> {
  if (from === to) return;
  if (preallocation === "falloc") {
    await mustSucceed(file.allocate(from, to - from), file.name);
  }
  if (preallocation !== "full") return;
  for (let at = from; at < to;) {
    const length = Math.min(ZEROES.length, to - at);
    at += await mustSucceed(file.write(at, ZEROES, 0, length), file.name);
  }
}

/**
 * The result of a call on a new file.
 *
 * @param answer A count or 0; a negative errno is an error.
 * @param name The file's name in errors.
 * @throws {UserError} If the call failed.
 */
export async function mustSucceed(
  answer: number | PromiseLike<number>,
  name: string,
): Promise<number> {
  const result = await answer;
  if (result >= 0) return result;
  throw new UserError(
    `Cannot create ${name}: its file cannot be written (${
      errnoName(-result)
    }); check the space and the limits of its file system`,
  );
}
