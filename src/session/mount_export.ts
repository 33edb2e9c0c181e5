import { UserError } from "../base/user_error.ts";
import {
  BlockExport,
  EXPORT_ROOT_MODE,
  exportCapabilities,
  MAX_PAYLOAD,
} from "../export/block_export.ts";
import type { ExportContext, ExportRules } from "../export/export_context.ts";
import { resizeImage } from "../export/resize.ts";
import { errnoName, errnoOf } from "../base/errno.ts";
import { followImage } from "../export/follow_image.ts";
import { ExportState } from "../export/export_state.ts";
import type { PollUs } from "../queue/poll_strategy.ts";
import { credentials, hasCapSysAdmin } from "../linux/syscall/process.ts";
import type { AllowOther } from "../linux/mount/mount_by_fusermount.ts";
import { type ExportSource, type OpenImage, openImage } from "./image.ts";
import { prepareMountpoint } from "./mountpoint.ts";
import {
  type PassthroughChoice,
  type PassthroughFacts,
  type PassthroughPlan,
  planPassthrough,
} from "./passthrough.ts";
import { checkQueues } from "./queue_count.ts";
import { Session, type SessionParts } from "./session.ts";
import type { TransportChoice } from "./transport.ts";
import type { SessionListener } from "./session_listener.ts";
import { type SessionHandler, startServing } from "./start_serving.ts";

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
   * Whether the kernel goes to the image itself: `on`, `off`, or `auto` for
   * where the export's rules hold without it; `off`. Whoever keeps a file open
   * then reads and writes the image also after the end of the session.
   */
  readonly passthrough?: PassthroughChoice;
  /** Whether `makeReadOnly` is to be possible, so that `auto` is `off`; no. */
  readonly mayChange?: boolean;
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
  /**
   * Whether other users may come in, as far as the file's mode lets them: `on`,
   * `off`, or `auto` for `on` where this user may let them; `auto`.
   */
  readonly allowOther?: AllowOther;
  /**
   * After how many milliseconds without an answer a queue is said to hang; 30
   * seconds if left out.
   */
  readonly hangMs?: number;
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
    const { backend, state, rules } = this.#context;
    const stat = rules.backingId == null ? null : backend.stat();
    return stat !== null && "size" in stat ? stat.size : state.size;
  }

  /** Whether the file can be written to, as it is now. */
  get writable(): boolean {
    const { rules, state } = this.#context;
    return rules.writable && !state.readOnly;
  }

  /**
   * Changes the image's size, durably; programs see it within a second.
   *
   * @throws {UserError} If the image cannot be written to, or refuses.
   */
  async resize(size: number): Promise<void> {
    const { backend } = this.#context;
    if (!this.writable) {
      throw new UserError(`Cannot resize ${this.source}: it can only be read`);
    }
    if (this.passthrough.kind === "on") await followImage(this.#context);
    refuseErrno(await resizeImage(this.#context, size), this.source, "resize");
    refuseErrno(await backend.flush(), this.source, "flush");
  }

  /**
   * Refuses every change from now on, and makes durable what was written.
   * Files that are open for writing stay so; writing to them fails (EACCES).
   *
   * @throws {UserError} If what was written cannot be made durable, or the kernel
   * writes to the image by itself (passthrough).
   */
  async makeReadOnly(): Promise<void> {
    const { backend, state } = this.#context;
    if (!this.writable) return;
    if (this.passthrough.kind === "on") {
      throw new UserError(
        `Cannot make ${this.source} read-only: the kernel writes to it by itself; export it with passthrough off`,
      );
    }
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
 * @throws {UserError} With one sentence that says what could not be done and why;
 * nothing stays open or mounted.
 */
export async function mountExport(
  options: MountExportOptions,
): Promise<ExportSession> {
  const { writable = false, growable = false, writethrough = false } = options;
  const { offset = 0, size = null, notice = () => {} } = options;
  const here = typeof options.source === "object" &&
    "backend" in options.source;
  const queues = checkQueues(options.queues, here ? "a backend" : null);
  if (growable && !writable) {
    throw new UserError(
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
  const plan = await planOrClose(image, options);
  const { uid, gid } = credentials();
  const rules = { writable, growable, writethrough };
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
      allowOther: options.allowOther ?? "auto",
      maxRead: MAX_PAYLOAD,
    },
    wanted: exportCapabilities(rules),
    maxPayload: MAX_PAYLOAD,
    transport: options.transport ?? "auto",
    passthrough: plan,
    pollUs: options.pollUs ?? "auto",
    measuring: options.measuring ?? false,
    handler: handlerOf(image, state, rules, queues),
    hangMs: options.hangMs,
    listener: options,
    release: () => image.close(),
  });
  const { backend, name } = image;
  const { allowOther } = parts;
  const backingId = parts.backingId;
  const shown = { ...rules, allowOther, backingId };
  const context = { backend, state, rules: shown };
  return new ExportSession(parts, name, context);
}

/** Plans passthrough; if that is refused, nothing stays open. */
async function planOrClose(
  image: OpenImage,
  options: MountExportOptions,
): Promise<PassthroughPlan> {
  const { passthrough = "off", offset = 0, size = null } = options;
  const { file } = image;
  const facts: PassthroughFacts = {
    regularFile: file?.kind === "file",
    part: offset > 0 || size !== null,
    writable: options.writable ?? false,
    growable: options.growable ?? false,
    writethrough: options.writethrough ?? false,
    direct: options.direct ?? false,
    hasDirectIo: file?.directAlignment !== 0,
    mayChange: options.mayChange ?? false,
    watched: options.trace !== undefined || (options.measuring ?? false),
    capSysAdmin: hasCapSysAdmin(),
  };
  try {
    const { spec } = image;
    const fd = spec?.kind === "file" ? spec.fd : null;
    return planPassthrough(passthrough, facts, fd);
  } catch (error) {
    await image.close();
    throw error;
  }
}

function refuseErrno(result: number, source: string, action: string): void {
  if (result >= 0) return;
  const name = errnoName(errnoOf({ errno: -result }));
  throw new UserError(
    `Cannot ${action} ${source}: its storage refused (${name})`,
  );
}

function handlerOf(
  { spec, backend }: OpenImage,
  state: ExportState,
  rules: Omit<ExportRules, "allowOther">,
  queues: number,
): SessionHandler {
  if (spec === null) {
    return {
      handler: (allowOther) =>
        new BlockExport({ backend, state, rules: { ...rules, allowOther } }),
    };
  }
  return {
    queues,
    spec: (allowOther, backingId) => ({
      kind: "export",
      backend: spec,
      state: state.memory,
      rules: { ...rules, allowOther, backingId },
    }),
  };
}
