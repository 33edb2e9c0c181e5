import { formatSize } from "../../src/backends/size.ts";
import type { Cell } from "./cells.ts";

const CHUNK = 4 << 20;

/** Where things lie while they are measured. */
export interface ImagePaths {
  /** A directory that nothing else uses. */
  readonly directory: string;
  /** The image in it; there is none if no cell needs one. */
  readonly image: string;
}

/**
 * Makes a directory with an image whose every block is allocated, and removes
 * both at the end.
 *
 * @param options Where, how large, for which cells, and what calls it off.
 * @param body What is done with it.
 * @throws {Error} If there is no room for it, and what the body throws.
 */
export async function withImage<T>(
  options: {
    readonly parent: string;
    readonly size: number;
    readonly cells: readonly Cell[];
    readonly signal: AbortSignal;
  },
  body: (paths: ImagePaths) => Promise<T>,
): Promise<T> {
  const { parent, size, cells, signal } = options;
  const directory = await Deno.realPath(
    await Deno.makeTempDir({ dir: parent, prefix: "mqfuse-fio-" }),
  );
  const image = `${directory}/disk.raw`;
  try {
    if (cells.some(({ driver }) => driver === "file")) {
      await fill(image, size, signal);
    }
    return await body({ directory, image });
  } finally {
    await Deno.remove(directory, { recursive: true });
  }
}

/** Random bytes, as a file system may leave out zeroes. */
async function fill(
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
      } for the file cells: ${why}; --size and --directory choose another`,
    );
  }
}
