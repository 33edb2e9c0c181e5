import type { Backend } from "../backends/backend.ts";
import type { MessagePipe } from "../event/message_pipe.ts";
import type { SyncErrors } from "../backends/sync_errors.ts";
import type { ExportState } from "./export_state.ts";

/**
 * What truncating a file of fixed size does, by O_TRUNC, truncate(2) or
 * fallocate(2). Its size changes only with `as-qemu`.
 *
 * - `refuse`: EPERM for every change of the size.
 * - `zero`: what is cut off becomes zeroes, and the size stays. A larger size
 *   gives EPERM.
 * - `as-qemu`: O_TRUNC is ignored; truncate(2) and fallocate(2) change the size.
 *
 * @category Exporting an image
 */
export type TruncateRule = "refuse" | "zero" | "as-qemu";

/** Every {@linkcode TruncateRule}. */
export const TRUNCATE_RULES: readonly TruncateRule[] = [
  "refuse",
  "zero",
  "as-qemu",
];

/**
 * What the kernel's page cache holds of the exported file, besides mappings.
 *
 * - `none`: nothing; every read and write is a request (FOPEN_DIRECT_IO).
 * - `reads`: what was read, until the image's time of modification changes,
 *   which is looked at once a second (FUSE_AUTO_INVAL_DATA).
 * - `writeback`: what was read and written; the kernel sends WRITEs later, and
 *   owns size and times of the file (FUSE_WRITEBACK_CACHE).
 *
 * @category Exporting an image
 */
export type CacheMode = "none" | "reads" | "writeback";

/** Every {@linkcode CacheMode}. */
export const CACHE_MODES: readonly CacheMode[] = ["none", "reads", "writeback"];

/**
 * How an export behaves; plain data that is copied to the Workers.
 *
 * @category Exporting an image
 */
export interface ExportRules {
  /** Whether the file can be written to. */
  readonly writable: boolean;
  /** Whether writing beyond the end makes the image larger. */
  readonly growable: boolean;
  /**
   * What truncating does if it is not growable; `refuse` if left out. A
   * growable image is truncated like any file.
   */
  readonly truncate?: TruncateRule;
  /** Whether other users than the one who mounted it have access. */
  readonly allowOther: boolean;
  /**
   * The kernel's id of the image, which the kernel then reads and writes by
   * itself (FUSE_PASSTHROUGH); `null` or left out if it sends requests.
   */
  readonly backingId?: number | null;
  /** What the kernel caches; `none` if left out. */
  readonly cache?: CacheMode;
}

/**
 * How large READs are answered by splice(2).
 *
 * @category Exporting an image
 */
export interface Splicing {
  /** The pipe of the queue that takes the replies. */
  readonly pipe: MessagePipe;
  /** The least bytes of a READ for which that takes less time. */
  readonly from: number;
}

/**
 * What the functions of an export work on.
 *
 * @category Exporting an image
 */
export interface ExportContext {
  /** The image. */
  readonly backend: Backend;
  /** The state that all queues share. */
  readonly state: ExportState;
  /** How the export behaves. */
  readonly rules: ExportRules;
  /**
   * Where the image's backends count their failed flushes; if left out, the
   * export counts them itself.
   */
  readonly syncErrors?: SyncErrors;
  /**
   * Called after a SETATTR has zeroed bytes without changing the size, which
   * the kernel does not expect: its cached pages of the file are stale.
   */
  readonly onZeroed?: () => void;
  /** For images that have `Backend.splice()`; no READ is spliced if left out. */
  readonly splicing?: Splicing;
}

/** The same with a backend whose failed flushes are counted. */
export type CountedContext =
  & ExportContext
  & Required<Pick<ExportContext, "syncErrors">>
  & {
    /** The least bytes of a READ that are spliced; `Infinity` for none. */
    readonly spliceFrom: number;
  };
