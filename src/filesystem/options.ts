import { type Clock, systemTime } from "../base/timespec.ts";
import { UserError } from "../base/user_error.ts";
import { FOPEN } from "../protocol/flags.ts";
import { type Lifetime, readLifetime } from "./lifetime.ts";

/**
 * What the kernel's page cache keeps of a file:
 *
 * - `open`: what was read while it is open; the next open(2) drops it.
 * - `keep`: what was read, as long as there is memory, and until `mtime` or
 *   `size` changes, or the session invalidates it.
 * - `none`: nothing; each read(2) and write(2) is a request, and reads are not
 *   limited by `size`. For files whose contents are made up when they are read.
 *
 * @category Mounting
 */
export type FileCache = "open" | "keep" | "none";

/**
 * What the kernel may keep of a file system.
 *
 * @category Mounting
 */
export interface CacheOptions<N> {
  /**
   * For how many seconds attributes are valid: a stat(2) meanwhile is no
   * request. 1 if left out; 0 for not at all, `Infinity` if they change only
   * through the mount or are invalidated.
   */
  readonly attrSeconds?: number;
  /** For how many seconds a name that was found stays valid; 1 if left out. */
  readonly entrySeconds?: number;
  /**
   * For how many seconds a name that `lookup()` has not found stays missing; 0
   * if left out.
   */
  readonly negativeSeconds?: number;
  /** What is cached of files, of all or of each one; `open` if left out. */
  readonly cache?: FileCache | ((node: N) => FileCache);
  /** The time to stamp changes with; that of the system if left out. */
  readonly now?: Clock;
  /**
   * After how many milliseconds a request that a method has not answered fails
   * with ETIMEDOUT. The signal of its caller fires then, and a later answer has no
   * effect but a report. If left out, programs wait as long as it takes.
   */
  readonly timeoutMs?: number;
  /**
   * Whether the kernel collects writes in its page cache and sends them later, in
   * large pieces (FUSE_WRITEBACK_CACHE); no if left out. It then decides on
   * `size` and `mtime` of files itself, and reads files that are open for
   * writing only: such a file is opened for both. Only for files that change
   * through the mount alone.
   */
  readonly writeback?: boolean;
}

/** Checked options, with the defaults filled in. */
export interface CacheRules<N> {
  readonly attr: Lifetime;
  readonly entry: Lifetime;
  readonly negative: Lifetime;
  /** `open_flags` of the reply to OPEN and CREATE. */
  readonly openFlags: (node: N) => number;
  readonly now: Clock;
  /** As {@linkcode CacheOptions.timeoutMs}; `null` for none. */
  readonly timeoutMs: number | null;
  /** As {@linkcode CacheOptions.writeback}. */
  readonly writeback: boolean;
}

/** The longest time-out of a timer, in milliseconds. */
const TIMEOUT_MAX_MS = 2 ** 31 - 1;

const OPEN_FLAGS: Readonly<Record<FileCache, number>> = {
  open: 0,
  keep: FOPEN.KEEP_CACHE,
  none: FOPEN.DIRECT_IO | FOPEN.PARALLEL_DIRECT_WRITES,
};

/**
 * Checks options and fills in the defaults.
 *
 * @throws {UserError} If a value cannot be used.
 */
export function checkCacheOptions<N>(
  options: CacheOptions<N>,
): CacheRules<N> {
  const { cache = "open" } = options;
  return {
    attr: readLifetime(options.attrSeconds ?? 1, "attrSeconds"),
    entry: readLifetime(options.entrySeconds ?? 1, "entrySeconds"),
    negative: readLifetime(options.negativeSeconds ?? 0, "negativeSeconds"),
    openFlags: typeof cache === "function"
      ? (node) => flagsOf(cache(node))
      : constant(flagsOf(cache)),
    now: options.now ?? systemTime,
    timeoutMs: checkTimeout(options.timeoutMs),
    writeback: options.writeback ?? false,
  };
}

function checkTimeout(ms: number | undefined): number | null {
  if (ms === undefined) return null;
  if (Number.isInteger(ms) && ms > 0 && ms <= TIMEOUT_MAX_MS) return ms;
  throw new UserError(
    `Cannot use ${ms} (timeoutMs): expected a whole number from 1 to ${TIMEOUT_MAX_MS}`,
  );
}

function constant(flags: number): () => number {
  return () => flags;
}

function flagsOf(cache: FileCache): number {
  if (Object.hasOwn(OPEN_FLAGS, cache)) return OPEN_FLAGS[cache];
  throw new UserError(
    `Cannot use ${cache} (cache): expected open, keep or none`,
  );
}
