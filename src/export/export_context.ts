import type { Backend } from "../backends/backend.ts";
import type { ExportState } from "./export_state.ts";

/**
 * How an export behaves. Plain data: Workers receive copies.
 *
 * @category Exporting an image
 */
export interface ExportRules {
  /** Whether the file can be written to. */
  readonly writable: boolean;
  /** Whether writing behind the end makes the image larger. */
  readonly growable: boolean;
  /** Whether users other than the one who mounted it may come in. */
  readonly allowOther: boolean;
  /**
   * The id of the image for the kernel, which then reads and writes it by
   * itself (FUSE_PASSTHROUGH); `null` or left out if requests come here.
   */
  readonly backingId?: number | null;
}

/**
 * What the parts of an export share.
 *
 * @category Exporting an image
 */
export interface ExportContext {
  /** The image. */
  readonly backend: Backend;
  /** What all queues agree on. */
  readonly state: ExportState;
  /** How the export behaves. */
  readonly rules: ExportRules;
}
