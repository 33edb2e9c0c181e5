import {
  BlockExport,
  EXPORT_ROOT_MODE,
  exportWish,
  MAX_PAYLOAD,
} from "../export/block_export.ts";
import type { ExportContext, ExportRules } from "../export/export_context.ts";
import { resizeImage } from "../export/resize.ts";
import { errnoName, errnoOf } from "../protocol/errno.ts";
import { ExportState } from "../export/export_state.ts";
import type { PollUs } from "../queue/poll_strategy.ts";
import { credentials } from "../linux/process.ts";
import { type ExportSource, type OpenImage, openImage } from "./image.ts";
import { prepareMountpoint } from "./mountpoint.ts";
import { checkQueues } from "./queue_count.ts";
import { Session, type SessionParts } from "./session.ts";
import type { TransportChoice } from "./transport.ts";
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
  /** Whether every change is durable before its reply; no if left out. */
  readonly writethrough?: boolean;
  /** Where the part of the image starts that is shown, in bytes; 0. */
  readonly offset?: number;
  /** Length of that part in bytes; to the end of the image if left out. */
  readonly size?: number;
  /**
   * How requests travel: `uring` for FUSE over io_uring, `device` for
   * /dev/fuse, `auto` for the first of them that can be had; `auto`.
   */
  readonly transport?: TransportChoice;
  /**
   * How long queues poll before they sleep: microseconds, 0 for not at all, or
   * `auto` for as long as it pays; `auto`.
   */
  readonly pollUs?: PollUs;
  /**
   * Whether to lock the image file as QEMU does, so that nobody else writes to
   * it meanwhile; yes if left out.
   */
  readonly lock?: boolean;
  /** Whether to read and write the image past the page cache; no if left out. */
  readonly direct?: boolean;
  /** Whether to measure how long requests take; no if left out. */
  readonly measuring?: boolean;
  /** Whether other users may come in; no if left out. */
  readonly allowOther?: boolean;
  /** Hears of what was put right on the way, such as a stale mount. */
  readonly notice?: (text: string) => void;
}

/** An exported image. */
export class ExportSession extends Session {
  /** What the image is called: its absolute path, or `memory:1G`. */
  readonly source: string;
  readonly #context: ExportContext;

  /** Watches over an export that has been started. */
  constructor(parts: SessionParts, source: string, context: ExportContext) {
    super(parts);
    this.source = source;
    this.#context = context;
  }

  /** The image's size in bytes, as it is now. */
  get size(): number {
    return this.#context.state.size;
  }

  /** Whether the file can be written to, as it is now. */
  get writable(): boolean {
    const { rules, state } = this.#context;
    return rules.writable && !state.readOnly;
  }

  /**
   * Changes the image's size, durably; programs see it within a second.
   *
   * @throws {Error} If the image cannot be written to, or refuses.
   */
  async resize(size: number): Promise<void> {
    const { backend } = this.#context;
    if (!this.writable) {
      throw new Error(`Cannot resize ${this.source}: it can only be read`);
    }
    refuseErrno(await resizeImage(this.#context, size), this.source, "resize");
    refuseErrno(await backend.flush(), this.source, "flush");
  }

  /**
   * Refuses every change from now on, and makes durable what was written.
   * Files that are open for writing stay so; writing to them fails (EACCES).
   *
   * @throws {Error} If what was written cannot be made durable.
   */
  async makeReadOnly(): Promise<void> {
    const { backend, state } = this.#context;
    if (!this.writable) return;
    await state.lock.lock();
    state.makeReadOnly();
    state.lock.unlock();
    refuseErrno(await backend.flush(), this.source, "flush");
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
    direct: options.direct ?? false,
    lock: options.lock ?? true,
  });
  const { uid, gid } = credentials();
  const { writethrough = false } = options;
  const rules: ExportRules = { writable, growable, allowOther, writethrough };
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
    transport: options.transport ?? "auto",
    pollUs: options.pollUs ?? "auto",
    measuring: options.measuring ?? false,
    handler: handlerOf(image, state, rules, queues),
    listener: options,
    release: () => image.close(),
  });
  const { backend } = image;
  return new ExportSession(parts, image.name, { backend, state, rules });
}

function refuseErrno(result: number, source: string, action: string): void {
  if (result >= 0) return;
  const name = errnoName(errnoOf({ errno: -result }));
  throw new Error(`Cannot ${action} ${source}: its storage refused (${name})`);
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
