import { formatSize } from "../../src/backends/size.ts";
import type { Cell } from "./cells.ts";

const CHUNK = 4 << 20;

/** Paths that exist during a measurement. */
export interface ImagePaths {
  /** A directory for this measurement only. */
  readonly directory: string;
  /** The image in it, which is created only if a cell needs it. */
  readonly image: string;
}

/**
 * Creates a directory with an image, all of whose blocks are allocated, and
 * removes both at the end.
 *
 * @param options The parent directory, the size, the cells, and a signal that
 * cancels it.
 * @param body Uses the image.
 * @throws {Error} If there is no space for it, and what the body throws.
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

/** Writes random bytes: a file system may not allocate zeroes. */
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
