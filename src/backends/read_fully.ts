import type { Backend } from "./backend.ts";

/**
 * Reads a range of an image, up to its end.
 *
 * @param file The image.
 * @param position Where the range starts.
 * @param buffer Where the bytes go.
 * @param start The first byte of the buffer.
 * @param length How many bytes.
 * @returns The bytes read: fewer only before the end of the image; `-errno` if
 * some could not be read.
 */
export async function readFully(
  file: Backend,
  position: number,
  buffer: Uint8Array,
  start: number,
  length: number,
): Promise<number> {
  let done = 0;
  while (done < length) {
    const at = position + done;
    const got = await file.read(at, buffer, start + done, length - done);
    if (got < 0) return got;
    if (got === 0) break;
    done += got;
  }
  return done;
}

/**
 * Reads a range of an image that has to have all of it.
 *
 * @param file The image.
 * @param position Where the range starts.
 * @param length How many bytes.
 * @returns The bytes; `null` if the image has fewer, or they cannot be read.
 */
export async function readExactly(
  file: Backend,
  position: number,
  length: number,
): Promise<Uint8Array<ArrayBuffer> | null> {
  const bytes = new Uint8Array(length);
  const got = await readFully(file, position, bytes, 0, length);
  return got === length ? bytes : null;
}
