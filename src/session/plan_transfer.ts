/**
 * How the bytes of an export travel besides its requests: by passthrough, and
 * through the kernel's page cache. Decided before anything is mounted.
 *
 * @module
 */
import type { OpenImage } from "../backends/open_image.ts";
import type { TruncateRule } from "../export/export_context.ts";
import { hasCapSysAdmin } from "../linux/syscall/process.ts";
import {
  type CacheChoice,
  CACHES,
  type CacheState,
  checkCache,
  planCache,
} from "./cache.ts";
import { checkChoice } from "./check_value.ts";
import { usesDirectIo } from "./image_options.ts";
import {
  type PassthroughChoice,
  type PassthroughPlan,
  PASSTHROUGHS,
  planPassthrough,
} from "./passthrough.ts";

/** The options of an export that decide. */
export interface TransferOptions {
  /** As `MountExportOptions.passthrough`. */
  readonly passthrough?: PassthroughChoice;
  /** As `MountExportOptions.cache`. */
  readonly cache?: CacheChoice;
  /** As `MountExportOptions.writable`. */
  readonly writable?: boolean;
  /** As `MountExportOptions.growable`. */
  readonly growable?: boolean;
  /** As `MountExportOptions.truncate`. */
  readonly truncate?: TruncateRule;
  /** As `MountExportOptions.writethrough`. */
  readonly writethrough?: boolean;
  /** As `MountExportOptions.partition`. */
  readonly partition?: string;
  /** As `MountExportOptions.offset`. */
  readonly offset?: number;
  /** As `MountExportOptions.size`. */
  readonly size?: number;
  /** As `MountExportOptions.control`. */
  readonly control?: boolean;
  /** As `MountExportOptions.lock`. */
  readonly lock?: boolean;
  /** As `MountExportOptions.direct`. */
  readonly direct?: boolean;
  /** As `MountExportOptions.loopSafe`. */
  readonly loopSafe?: boolean;
  /** As `SessionOptions.stats`. */
  readonly stats?: boolean;
  /** As `SessionOptions.trace`. */
  readonly trace?: unknown;
}

/** The decisions. */
export interface TransferPlan {
  /** About passthrough. */
  readonly passthrough: PassthroughPlan;
  /** About the page cache. */
  readonly cache: CacheState;
}

/**
 * Checks the choice of the page cache, before the image is opened.
 *
 * @throws {UserError} If it cannot be used.
 */
export function checkCacheOption(options: TransferOptions): CacheChoice {
  const choice = checkChoice(options.cache ?? "none", CACHES, "cache");
  checkCache(choice, {
    writable: options.writable ?? false,
    growable: options.growable ?? false,
    truncate: options.truncate ?? "refuse",
    writethrough: options.writethrough ?? false,
    loopSafe: options.loopSafe ?? false,
  });
  return choice;
}

/**
 * Decides for an open image.
 *
 * @throws {UserError} If something was requested that is not possible.
 */
export function planTransfer(
  { file }: Pick<OpenImage, "file">,
  options: TransferOptions,
): TransferPlan {
  const { partition, offset = 0, size, stats = false } = options;
  const writable = options.writable ?? false;
  const regularFile = file?.stat.kind === "file";
  const choice = checkChoice(
    options.passthrough ?? "off",
    PASSTHROUGHS,
    "passthrough",
  );
  const passthrough = planPassthrough(choice, {
    regularFile,
    part: partition !== undefined || offset > 0 || size !== undefined,
    writable,
    growable: options.growable ?? false,
    writethrough: options.writethrough ?? false,
    direct: usesDirectIo(options),
    hasDirectIo: file?.stat.directAlignment !== 0,
    control: options.control ?? false,
    observed: options.trace !== undefined || stats,
    capSysAdmin: hasCapSysAdmin(),
  }, file?.fd ?? null);
  const cache = planCache(checkCacheOption(options), {
    regularFile,
    locked: options.lock ?? true,
    writable,
    direct: usesDirectIo(options),
    passthrough: passthrough.fd !== null,
  });
  return { passthrough, cache };
}
