import { UserError } from "../base/user_error.ts";
import { CACHE_SIZE_DEFAULT, type ImageOptions } from "../backends/driver.ts";
import { SIZE_MAX } from "../backends/size.ts";
import { checkWholeNumber } from "./check_value.ts";

/** The largest `cacheSize`: 4 GiB. */
const CACHE_SIZE_MAX = 2 ** 32;

/**
 * How an image is opened for an export.
 *
 * @category Exports
 */
export interface ImageExportOptions {
  /** Whether writing beyond the end makes the image larger; no if left out. */
  readonly growable?: boolean;
  /** Whether every change is durable before its reply; no if left out. */
  readonly writethrough?: boolean;
  /** Where the exported part of the image starts, in bytes; 0 if left out. */
  readonly offset?: number;
  /** Length of that part in bytes; to the end of the image if left out. */
  readonly size?: number;
  /**
   * Whether to lock the image file as QEMU does, so that other programs do not
   * write to it meanwhile; yes if left out.
   */
  readonly lock?: boolean;
  /** Whether to use direct I/O on the image (O_DIRECT); no if left out. */
  readonly direct?: boolean;
  /**
   * The internal snapshot of the image to show, by its id or name, read-only; the
   * current state if left out.
   */
  readonly snapshot?: string;
  /**
   * The image below, in place of the one that the image names: a source, or
   * `raw:PATH`.
   */
  readonly backing?: string;
  /**
   * Directories in which the image may name files, such as its backing file; its
   * own directory and those below it need not be given.
   */
  readonly allowReference?: readonly string[];
  /**
   * Bytes of an image's tables to keep in memory, for all images of a chain
   * together; 32 MiB if left out.
   */
  readonly cacheSize?: number;
  /**
   * Whether the export never waits for itself, although a loop device, swap or a
   * file system lies on the exported file; no if left out. Uses direct I/O, and
   * needs a program that has called {@linkcode restartLoopSafe}.
   */
  readonly loopSafe?: boolean;
}

/**
 * Checks the options by which an image is opened.
 *
 * @param options The options of an export.
 * @throws {UserError} If they contradict each other.
 */
export function checkImageOptions(
  options: ImageExportOptions & { readonly writable?: boolean },
): ImageOptions {
  const { writable = false, growable = false, offset = 0 } = options;
  if (growable && !writable) {
    throw new UserError(
      "Cannot make a read-only export growable: make it writable too",
    );
  }
  const max = SIZE_MAX;
  const { size = null } = options;
  return {
    writable,
    growable,
    offset: checkWholeNumber(offset, { name: "offset", min: 0, max }),
    size: size === null
      ? null
      : checkWholeNumber(size, { name: "size", min: 1, max }),
    writethrough: options.writethrough ?? false,
    direct: usesDirectIo(options),
    lock: options.lock ?? true,
    snapshot: checkSnapshot(options.snapshot ?? null, writable),
    backing: options.backing ?? null,
    allowReference: options.allowReference ?? [],
    cacheSize: checkWholeNumber(options.cacheSize ?? CACHE_SIZE_DEFAULT, {
      name: "cacheSize",
      min: 0,
      max: CACHE_SIZE_MAX,
    }),
  };
}

/** A snapshot stays as it is. */
function checkSnapshot(
  snapshot: string | null,
  writable: boolean,
): string | null {
  if (snapshot === null || !writable) return snapshot;
  throw new UserError(
    `Cannot export snapshot ${
      JSON.stringify(snapshot)
    } for writing: a snapshot stays as it is; leave writable out`,
  );
}

/**
 * Whether an image is opened for direct I/O: a loop-safe export keeps out of the
 * page cache, whose writers are throttled.
 */
export function usesDirectIo(
  { direct, loopSafe }: ImageExportOptions,
): boolean {
  return (direct ?? false) || (loopSafe ?? false);
}
