import type { Backend } from "../backends/backend.ts";
import type { SyncErrors } from "../backends/sync_errors.ts";
import type { ExportState } from "./export_state.ts";

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
  /** Whether other users than the one who mounted it have access. */
  readonly allowOther: boolean;
  /**
   * The kernel's id of the image, which the kernel then reads and writes by
   * itself (FUSE_PASSTHROUGH); `null` or left out if it sends requests.
   */
  readonly backingId?: number | null;
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
}

/** The same with a backend whose failed flushes are counted. */
export type CountedContext = Required<ExportContext>;
