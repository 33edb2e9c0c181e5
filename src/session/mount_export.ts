import {
  BlockExport,
  EXPORT_ROOT_MODE,
  exportWish,
  MAX_PAYLOAD,
} from "../export/block_export.ts";
import type { ExportRules } from "../export/export_context.ts";
import { ExportState } from "../export/export_state.ts";
import { credentials } from "../linux/process.ts";
import { type ExportSource, type OpenImage, openImage } from "./image.ts";
import { prepareMountpoint } from "./mountpoint.ts";
import { checkQueues } from "./queue_count.ts";
import { Session, type SessionParts } from "./session.ts";
import {
  type SessionHandler,
  type SessionListener,
  startServing,
} from "./start_serving.ts";

/** Options of {@linkcode mountExport}. */
export interface MountExportOptions extends SessionListener {
  /** Where the image comes from. */
  readonly source: ExportSource;
  /** An existing plain file, over which the image is shown. */
  readonly mountpoint: string;
  /**
   * How many /dev/fuse descriptors, with a Worker each; by default as many as
   * there are CPUs, at most 4. A `backend` in this thread has one.
   */
  readonly queues?: number;
  /** Whether the file can be written to; no if left out. */
  readonly writable?: boolean;
  /** Whether writing behind the end makes the image larger; no if left out. */
  readonly growable?: boolean;
  /** Where the part of the image starts that is shown, in bytes; 0. */
  readonly offset?: number;
  /** Length of that part in bytes; to the end of the image if left out. */
  readonly size?: number;
  /** Whether other users may come in; no if left out. */
  readonly allowOther?: boolean;
  /** Hears of what was put right on the way, such as a stale mount. */
  readonly notice?: (text: string) => void;
}

/** An exported image. */
export class ExportSession extends Session {
  /** What the image is called: its absolute path, or `memory:1G`. */
  readonly source: string;
  readonly #state: ExportState;

  /** Watches over an export that has been started. */
  constructor(parts: SessionParts, source: string, state: ExportState) {
    super(parts);
    this.source = source;
    this.#state = state;
  }

  /** The image's size in bytes, as it is now. */
  get size(): number {
    return this.#state.size;
  }
}

/**
 * Shows a disk image as one plain file.
 *
 * @example Export a disk in memory until the end of a block
 * ```ts ignore
 * import { mountExport } from "@mqfuse/mqfuse";
 *
 * await using session = await mountExport({
 *   source: "memory:1G",
 *   mountpoint: "disk.img",
 *   writable: true,
 * });
 * console.log(session.mountpoint, session.queues);
 * ```
 *
 * @throws {Error} With one sentence that says what could not be done and why;
 * nothing stays open or mounted.
 */
export async function mountExport(
  options: MountExportOptions,
): Promise<ExportSession> {
  const { writable = false, growable = false, allowOther = false } = options;
  const { offset = 0, size = null, notice = () => {} } = options;
  const here = typeof options.source === "object" &&
    "backend" in options.source;
  const queues = checkQueues(options.queues, here ? "a backend" : null);
  if (growable && !writable) {
    throw new TypeError(
      "Cannot grow an image that is not written to: use --growable with --writable",
    );
  }
  // First, because a stale mount may lie over the image itself.
  const mountpoint = prepareMountpoint(options.mountpoint, notice);
  const image = await openImage(options.source, {
    writable,
    growable,
    offset,
    size,
  });
  const { uid, gid } = credentials();
  const rules: ExportRules = { writable, growable, allowOther };
  const state = ExportState.create({
    size: image.stat.size,
    mode: writable ? 0o600 : 0o400,
    uid,
    gid,
  });
  const parts = await startServing({
    mount: {
      mountpoint,
      source: image.name,
      rootMode: EXPORT_ROOT_MODE,
      readOnly: !writable,
      allowOther,
      uid,
      gid,
      maxRead: MAX_PAYLOAD,
    },
    wish: exportWish(rules),
    maxPayload: MAX_PAYLOAD,
    handler: handlerOf(image, state, rules, queues),
    listener: options,
    release: () => image.close(),
  });
  return new ExportSession(parts, image.name, state);
}

function handlerOf(
  { spec, backend }: OpenImage,
  state: ExportState,
  rules: ExportRules,
  queues: number,
): SessionHandler {
  if (spec === null) {
    return { handler: new BlockExport({ backend, state, rules }) };
  }
  const memory = state.memory;
  return {
    queues,
    spec: { kind: "export", backend: spec, state: memory, rules },
  };
}
