import { NAME_MAX, XATTR_SIZE_MAX } from "../src/base/limits.ts";
import { NS_PER_S } from "../src/base/timespec.ts";
import { UserError } from "../src/base/user_error.ts";
import type { SimulateOptions } from "../sim/workload/simulate.ts";

/**
 * What a file system may lack, with what the suite then leaves out.
 *
 * @category Conformance
 */
export const FEATURES = {
  /** Anything that changes something; only what is there is read. */
  "writing": "everything that changes files, names or attributes",
  /** link(2). */
  "hard links": "link(2)",
  /** symlink(2). */
  "symbolic links": "symlink(2), readlink(2)",
  /** mknod(2) of FIFOs and sockets. */
  "special files": "mknod(2)",
  /** chmod(2). */
  "permissions": "chmod(2)",
  /** chown(2). */
  "ownership": "chown(2)",
  /** utimensat(2). */
  "times": "utimensat(2)",
  /** Files that are used after their last name was removed. */
  "unlinked files": "the use of files without a name",
  /** RENAME_NOREPLACE. */
  "rename without replacing": "renameat2(2) with RENAME_NOREPLACE",
  /** RENAME_EXCHANGE. */
  "exchange": "renameat2(2) with RENAME_EXCHANGE",
  /** Extended attributes `user.*`. */
  "extended attributes": "getxattr(2) and its relatives",
  /** Names with bytes that are not UTF-8. */
  "names that are not UTF-8": "names with bytes that are not UTF-8",
} as const satisfies Record<string, string>;

/**
 * The name of something that a file system may lack.
 *
 * @category Conformance
 */
export type Feature = keyof typeof FEATURES;

/**
 * What the suite does to the file system while programs use it. The first two
 * are for a simulated one, because nothing can slow a mounted one down.
 *
 * - `slow`: methods answer later, so that replies come in another order.
 * - `forget`: the kernel drops what it knows, at any time.
 * - `interrupt`: programs get signals while they wait.
 *
 * @category Conformance
 */
export type ConformanceFault = "slow" | "forget" | "interrupt";

const FAULTS: readonly ConformanceFault[] = ["slow", "forget", "interrupt"];

/**
 * Options of {@linkcode conformance}.
 *
 * @category Conformance
 */
export interface ConformanceOptions<N extends object> {
  /** What the file system does not do; nothing if left out. */
  readonly lacks?: readonly Feature[];
  /**
   * Faults, which come in a second run of each step; all if left out. A mounted
   * file system gets none.
   */
  readonly faults?: readonly ConformanceFault[];
  /** Decides all that is random: an integer; 1 if left out. */
  readonly seed?: number;
  /** The longest name in bytes; 255 if left out. */
  readonly nameMax?: number;
  /** The largest file in bytes that the suite makes; 16 MiB if left out. */
  readonly sizeMax?: number;
  /** The largest extended attribute in bytes; 65536 if left out. */
  readonly xattrMax?: number;
  /** The longest target of a symbolic link in bytes; 4000 if left out. */
  readonly targetMax?: number;
  /** Times are multiples of this, in nanoseconds; 1 if left out. */
  readonly timeGranularity?: bigint;
  /** The earliest time in nanoseconds since 1970; 1901-12-14 if left out. */
  readonly earliest?: bigint;
  /** How many names the largest directory gets; 3000 if left out. */
  readonly names?: number;
  /** How the file system is simulated. */
  readonly simulate?: SimulateOptions<N>;
}

/** Checked options, with the defaults filled in. */
export interface ConformanceRules {
  readonly lacks: ReadonlySet<Feature>;
  readonly faults: readonly ConformanceFault[];
  readonly seed: number;
  readonly nameMax: number;
  readonly sizeMax: number;
  readonly xattrMax: number;
  readonly targetMax: number;
  readonly timeGranularity: bigint;
  readonly earliest: bigint;
  readonly names: number;
}

const SIZE_MAX = 16 * 1024 * 1024;
const TARGET_MAX = 4000;
/** The least size with which every step makes sense. */
const SIZE_LEAST = 256 * 1024;

/**
 * Checks options and fills in the defaults.
 *
 * @throws {UserError} If a value cannot be used.
 */
export function checkConformanceOptions<N extends object>(
  options: ConformanceOptions<N>,
): ConformanceRules {
  const { lacks = [], faults = FAULTS, sizeMax = SIZE_MAX } = options;
  for (const name of lacks) oneOf("lacks", name, Object.keys(FEATURES));
  for (const name of faults) oneOf("faults", name, FAULTS);
  if (sizeMax < SIZE_LEAST) {
    throw new UserError(
      `Cannot use ${sizeMax} (sizeMax): expected at least ${SIZE_LEAST}`,
    );
  }
  return {
    lacks: new Set(lacks),
    faults,
    sizeMax,
    seed: options.seed ?? 1,
    nameMax: options.nameMax ?? NAME_MAX,
    xattrMax: options.xattrMax ?? XATTR_SIZE_MAX,
    targetMax: options.targetMax ?? TARGET_MAX,
    timeGranularity: options.timeGranularity ?? 1n,
    earliest: options.earliest ?? -(2n ** 31n) * NS_PER_S,
    names: options.names ?? 3000,
  };
}

function oneOf(option: string, name: string, names: readonly string[]): void {
  if (names.includes(name)) return;
  throw new UserError(
    `Cannot use ${name} (${option}): expected any of ${names.join(", ")}`,
  );
}
