import { formatSize } from "../../src/backends/size.ts";
import { type Guard, quote } from "../servers/guard.ts";

const CHUNK = 4 << 20;

/**
 * Creates a directory, and removes it with everything in it at the end, also if
 * the measurement is killed.
 *
 * @param parent Where it is created.
 * @param guard Removes it in the end.
 * @param body Uses it.
 */
export async function withDirectory<T>(
  parent: string,
  guard: Guard,
  body: (directory: string) => Promise<T>,
): Promise<T> {
  const directory = await Deno.realPath(
    await Deno.makeTempDir({ dir: parent, prefix: "mqfuse-bench-" }),
  );
  const forget = await guard.add(
    `rm -rf --one-file-system ${quote(directory)}`,
  );
  try {
    return await body(directory);
  } finally {
    await Deno.remove(directory, { recursive: true });
    await forget();
  }
}

/**
 * Writes an image of random bytes: a file system may not allocate zeroes.
 *
 * @param path The image, which does not exist.
 * @param size Its size in bytes.
 * @param signal Cancels it.
 * @throws {Error} If there is no space for it.
 */
export async function fillImage(
  path: string,
  size: number,
  signal: AbortSignal,
): Promise<void> {
  const chunk = new Uint8Array(CHUNK);
  for (let at = 0; at < CHUNK; at += 65536) {
    crypto.getRandomValues(chunk.subarray(at, at + 65536));
  }
  try {
    using file = await Deno.open(path, { write: true, createNew: true });
    for (let left = size; left > 0;) {
      signal.throwIfAborted();
      left -= await file.write(chunk.subarray(0, Math.min(left, CHUNK)));
    }
  } catch (error) {
    signal.throwIfAborted();
    const why = (error as Error).message;
    throw new Error(
      `Cannot write an image of ${
        formatSize(size)
      } at ${path}: ${why}; --size, --directory and --disk choose another`,
    );
  }
}
