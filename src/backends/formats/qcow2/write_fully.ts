import { ERRNO } from "../../../base/errno.ts";
import type { Backend } from "../../backend.ts";

/** Writes all bytes to a file; 0 or a negated errno. */
export async function writeFully(
  file: Backend,
  at: number,
  bytes: Uint8Array,
): Promise<number> {
  for (let done = 0; done < bytes.length;) {
    const put = await file.write(at + done, bytes, done, bytes.length - done);
    if (put <= 0) return put < 0 ? put : -ERRNO.ENOSPC;
    done += put;
  }
  return 0;
}

/** Words of a table as the file has them. */
export function bytesOf(words: ArrayLike<number>): Uint8Array<ArrayBuffer> {
  const view = new DataView(new ArrayBuffer(4 * words.length));
  for (let i = 0; i < words.length; i++) view.setInt32(4 * i, words[i]!);
  return new Uint8Array(view.buffer);
}
