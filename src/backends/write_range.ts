/**
 * Writing ranges of one image to another.
 *
 * @module
 */
import { ERRNO, errnoName } from "../base/errno.ts";
import { UserError } from "../base/user_error.ts";
import type { Backend } from "./backend.ts";
import { cannotWrite, mustWrite } from "./convert/must_write.ts";
import { readFully } from "./read_fully.ts";

/**
 * Reads all of a range; what follows the end of the image is zeroes.
 *
 * @param size The size of the image.
 * @throws {UserError} If it cannot be read.
 */
export async function mustRead(
  image: Backend,
  size: number,
  position: number,
  buffer: Uint8Array,
  length: number,
): Promise<void> {
  const there = Math.max(0, Math.min(length, size - position));
  const got = await readFully(image, position, buffer, 0, there);
  if (got !== there) {
    const error = got < 0 ? -got : ERRNO.EIO;
    throw new UserError(
      `Cannot read ${image.name} at byte ${position} (${
        errnoName(error)
      }); check its storage, or its tables with 'check'`,
    );
  }
  buffer.fill(0, there, length);
}

/**
 * Makes a range of an image read as zeroes.
 *
 * @throws {UserError} If that fails.
 */
export async function mustZero(
  image: Backend,
  position: number,
  length: number,
): Promise<void> {
  for (const unmap of [true, false]) {
    const result = await image.zero(position, length, { unmap });
    if (result >= 0) return;
    if (result !== -ERRNO.EOPNOTSUPP) throw cannotWrite(image.name, -result);
  }
  const zeroes = new Uint8Array(Math.min(length, 1 << 20));
  for (let done = 0; done < length; done += zeroes.length) {
    const part = Math.min(zeroes.length, length - done);
    await mustWrite(image, position + done, zeroes, 0, part);
  }
}

/**
 * Makes everything durable that was written to an image.
 *
 * @throws {UserError} If that fails.
 */
export async function mustFlush(image: Backend): Promise<void> {
  const result = await image.flush();
  if (result < 0) throw cannotWrite(image.name, -result);
}
