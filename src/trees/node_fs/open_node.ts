/**
 * Open files of an object like `node:fs`.
 *
 * @module
 */
import { Errno } from "../../base/errno.ts";
import { O } from "../../base/file_flags.ts";
import type { NodeFileHandle, NodeFsPromises } from "./node_fs.ts";

/** Opens a path; for reading only, if the object has no `open()`. */
export async function openPath(
  fs: NodeFsPromises,
  path: string,
  flags: number,
): Promise<NodeFileHandle> {
  const access = flags & O.ACCMODE;
  // The kernel appends and truncates, and names the offset of each write.
  if (fs.open !== undefined) return await fs.open(path, access);
  if (access !== O.RDONLY) throw new Errno("EROFS");
  return new BytesHandle(await fs.readFile!(path));
}

/** Creates a path, which must not exist. */
export async function createPath(
  fs: NodeFsPromises,
  path: string,
  mode: number,
): Promise<NodeFileHandle> {
  return await fs.open!(path, O.RDWR | O.CREAT | O.EXCL, mode);
}

/** Reads as much as there is. */
export async function readFully(
  handle: NodeFileHandle,
  into: Uint8Array,
  offset: number,
): Promise<number> {
  let total = 0;
  while (total < into.length) {
    const rest = into.length - total;
    const { bytesRead } = await handle.read(into, total, rest, offset + total);
    if (bytesRead === 0) break;
    total += bytesRead;
  }
  return total;
}

/** Writes everything, or tells how much was written before it failed. */
export async function writeFully(
  handle: NodeFileHandle,
  data: Uint8Array,
  offset: number,
): Promise<number> {
  let total = 0;
  while (total < data.length) {
    const rest = data.length - total;
    const written = handle.write(data, total, rest, offset + total);
    const { bytesWritten } = await written.catch((error) => {
      // As write(2): the next one fails.
      if (total === 0) throw error;
      return { bytesWritten: 0 };
    });
    if (bytesWritten === 0) break;
    total += bytesWritten;
  }
  return total;
}

/** An open file of which everything has been read. */
class BytesHandle implements NodeFileHandle {
  readonly #bytes: Uint8Array;

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes;
  }

  read(
    buffer: Uint8Array,
    offset: number,
    length: number,
    position: number,
  ): Promise<{ bytesRead: number }> {
    const part = this.#bytes.subarray(position, position + length);
    buffer.set(part, offset);
    return Promise.resolve({ bytesRead: part.length });
  }

  write(): Promise<never> {
    return Promise.reject(new Errno("EBADF"));
  }

  close(): Promise<void> {
    return Promise.resolve();
  }
}
