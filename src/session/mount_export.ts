import { UserError } from "../base/user_error.ts";
import {
  type ImageSource,
  isBackend,
  type OpenImage,
  openImage,
} from "../backends/open_image.ts";
import {
  BlockExport,
  EXPORT_ROOT_MODE,
  exportCapabilities,
  MAX_PAYLOAD,
} from "../export/block_export.ts";
import {
  type ExportRules,
  TRUNCATE_RULES,
  type TruncateRule,
} from "../export/export_context.ts";
import { reclaimLock } from "../export/image_size.ts";
import { ExportState } from "../export/export_state.ts";
import { fileTime } from "../linux/syscall/file_clock.ts";
import { setReadahead } from "../linux/mount/readahead.ts";
import type { UnmountHelper } from "../linux/mount/unmount_helper.ts";
import { closeOnAbort, openOrAbort } from "./abort_signal.ts";
import { announceFirstSize } from "./announce_size.ts";
import { type CacheChoice, type CacheState, negotiatedCache } from "./cache.ts";
import { checkChoice } from "./check_value.ts";
import { driverServices } from "./driver_services.ts";
import { ExportSession } from "./export_session.ts";
import {
  type FileAttributes,
  fileAttributes,
  ownAccessNotice,
} from "./file_attributes.ts";
import { checkRunAs, giveUpRights } from "./give_up_rights.ts";
import {
  checkImageOptions,
  type ImageExportOptions,
  usesDirectIo,
} from "./image_options.ts";
import { lastFlush } from "./last_flush.ts";
import { checkLimits, fileSizeNotice } from "./limits.ts";
import { loopSafeNotice, requireLoopSafe } from "./loop_safe.ts";
import { prepareMountpoint } from "./mountpoint.ts";
import type { PassthroughChoice } from "./passthrough.ts";
import { checkCacheOption, planTransfer } from "./plan_transfer.ts";
import { PoolFileIo } from "./pool_file_io.ts";
import { checkSessionOptions, type SessionOptions } from "./session_options.ts";
import {
  checkSplice,
  planSplicing,
  type SpliceChoice,
  type SplicePlan,
} from "./splicing.ts";
import {
  type MountedFacts,
  type SessionHandler,
  startServing,
} from "./start_serving.ts";

/**
 * Options of {@linkcode mountExport}.
 *
 * @category Exports
 */
export interface MountExportOptions extends SessionOptions, ImageExportOptions {
  /** Where the image comes from. */
  readonly source: ImageSource;
  /**
   * What truncating the file does if its size is fixed: `refuse` with EPERM,
   * `zero` what is cut off and keep the size, or `as-qemu` to ignore O_TRUNC and
   * let truncate(2) and fallocate(2) change the size. `refuse` if left out; not
   * for a growable image, which is truncated like any file.
   */
  readonly truncate?: TruncateRule;
  /**
   * Whether the kernel reads and writes the image itself, without the queues:
   * `on` (an error if that is impossible), `off`, or `auto` to use it where it
   * keeps every guarantee of the export; `off` if left out. Programs that keep
   * the file open can then use the image after the end of the session.
   */
  readonly passthrough?: PassthroughChoice;
  /**
   * What the kernel's page cache holds of the file: `none`; `auto` for what was
   * read, of a read-only export of a regular file that is locked; `writeback` for
   * what was read and written, which the kernel sends later. `none` if left out.
   */
  readonly cache?: CacheChoice;
  /**
   * Whether `makeReadOnly()` has to work on a writable export, so that `auto`
   * does not choose passthrough; no if left out.
   */
  readonly control?: boolean;
  /**
   * The least bytes of a READ that is answered by splice(2), which copies them
   * once instead of twice: `auto` where that takes less time, `off` for none, or
   * 4096 to 1048576. Over /dev/fuse only, for files in the page cache; `auto` if
   * left out.
   */
  readonly splice?: SpliceChoice;
  /** The owner of the file: a number or a name; this process's user if left out. */
  readonly uid?: number | string;
  /** Its group: a number or a name; this process's group if left out. */
  readonly gid?: number | string;
  /**
   * Its permission bits, such as `0o640`; 0600 if left out, 0400 if the export
   * is read-only.
   */
  readonly mode?: number;
  /**
   * The name or number of a user; needs root. Root opens, locks and mounts
   * everything; then, before the first request, the whole program becomes this
   * user. A child process that stays root unmounts at the end. If left out, the
   * program keeps its rights.
   */
  readonly user?: string;
  /** The name or number of its group; that of the user if left out. */
  readonly group?: string;
  /**
   * Called when everything is open and mounted, before the program becomes `user`
   * and takes the first request. It must not use the mount.
   *
   * @returns Paths of files that it has made, such as a pidfile: with `user`, they
   * are removed at the end, because the program may then no longer do that.
   */
  readonly beforeServing?: (session: ExportSession) => readonly string[];
}

/**
 * Shows a disk image as one plain file.
 *
 * SIGXFSZ is ignored from then on, unless the program handles it: a write beyond
 * RLIMIT_FSIZE fails with EFBIG.
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
 * @throws {UserError} If it cannot be exported; nothing stays open or mounted.
 * @category Exports
 */
export async function mountExport(
  options: MountExportOptions,
): Promise<ExportSession> {
  const { source } = options;
  const isHere = isBackend(source);
  const session = checkSessionOptions(options, {
    allowOther: "auto",
    here: isHere ? "a backend" : null,
  });
  const wanted = checkImageOptions(options);
  const truncate = checkTruncate(options);
  checkCacheOption(options);
  const attributes = fileAttributes(options);
  const identity = checkRunAs(options);
  const splice = checkSplice(options.splice ?? "auto", "splice", MAX_PAYLOAD);
  const { signal, insecurePath } = session;
  signal?.throwIfAborted();
  checkLimits({
    workers: isHere ? 0 : session.queues,
    queueMemory: session.queueMemory,
    maxPayload: MAX_PAYLOAD,
    direct: wanted.direct,
  }, session.notice);
  if (options.loopSafe) requireLoopSafe();
  // First, because a stale mount may cover the image itself.
  using entry = prepareMountpoint(session);
  const image = await openOrAbort(
    () =>
      openImage(
        source,
        wanted,
        driverServices({
          fileIo: () => new PoolFileIo(),
          insecurePath,
          tell: session.notice,
        }),
      ),
    (opened) => opened.close(),
    signal,
  );
  if (image.notice !== null) session.notice(image.notice);
  if (options.loopSafe) {
    const notice = loopSafeNotice(image.file?.stat.directAlignment ?? null);
    if (notice !== null) session.notice(notice);
  }
  if (wanted.writable && image.file?.stat.kind === "file") {
    const notice = fileSizeNotice(image.name, wanted.offset + image.stat.size);
    if (notice !== null) session.notice(notice);
  }
  const { backend, syncErrors } = image;
  const { growable, writable } = wanted;
  const state = stateOf(image, attributes, session.queues);
  const plans = await planOrClose(image, () => ({
    ...planTransfer(image, options),
    splicing: splicingOf(image, splice, options),
  }));
  const { passthrough, splicing } = plans;
  const rules = { writable, growable, truncate, cache: plans.cache.kind };
  const parts = await startServing({
    session: { ...session, mountpoint: entry.path },
    entry,
    name: image.name,
    rootMode: EXPORT_ROOT_MODE,
    wanted: exportCapabilities(rules),
    maxPayload: MAX_PAYLOAD,
    passthrough,
    splicing,
    handler: handlerOf(image, state, rules, plans.cache, session.queues),
    flush: writable ? () => lastFlush(image, session) : undefined,
    reclaim(queue) {
      backend.queueEnded?.(queue);
      return reclaimLock({ backend, state }, queue);
    },
    release: () => image.close(),
  });
  const { allowOther, backingId, mount } = parts;
  const cache = negotiatedCache(plans.cache, parts.negotiated);
  if (attributes.needsAllowOther && !allowOther) {
    session.notice(ownAccessNotice(attributes));
  }
  const context = {
    backend,
    state,
    syncErrors,
    rules: { ...rules, allowOther, backingId, cache: cache.kind },
  };
  let helper: UnmountHelper | null = null;
  const release = async () => {
    await parts.release();
    helper?.end();
  };
  const opened = new ExportSession(
    { ...parts, release },
    { ...image, hasOverlay: wanted.overlay !== null },
    context,
    cache,
  );
  const serve = () => parts.servers.forEach((server) => server.serve());
  try {
    // Without the right to do so, the kernel's default stays.
    if (cache.kind !== "none") setReadahead(mount.connection, MAX_PAYLOAD);
    if (cache.kind === "writeback") {
      await announceFirstSize(parts.notifier, state.size);
    }
    const files = options.beforeServing?.(opened) ?? [];
    if (identity !== null) {
      const inheritance = { mount, files, insecurePath };
      giveUpRights(identity, inheritance, (child) => helper = child);
    }
  } catch (error) {
    serve();
    await opened.close();
    throw error;
  }
  serve();
  return await closeOnAbort(opened, signal);
}

function checkTruncate(
  { truncate, growable, writable }: MountExportOptions,
): TruncateRule {
  if (truncate === undefined) return "refuse";
  if (growable || !writable) {
    const kind = writable ? "growable" : "read-only";
    const why = writable
      ? "it is truncated like any file"
      : "it is never truncated";
    throw new UserError(
      `Cannot choose what truncating a ${kind} export does: ${why}; leave truncate out`,
    );
  }
  return checkChoice(truncate, TRUNCATE_RULES, "truncate");
}

function stateOf(
  { stat }: OpenImage,
  { uid, gid, mode }: FileAttributes,
  queues: number,
): ExportState {
  const clock = fileTime;
  return ExportState.create({ size: stat.size, mode, uid, gid, queues, clock });
}

/** Makes plans; if one is refused, the image is closed. */
async function planOrClose<T>(image: OpenImage, plan: () => T): Promise<T> {
  try {
    return plan();
  } catch (error) {
    await image.close();
    throw error;
  }
}

function splicingOf(
  { attachment, backend, file }: OpenImage,
  choice: SpliceChoice,
  options: MountExportOptions,
): SplicePlan {
  return planSplicing(choice, {
    isFile: attachment !== null && backend.splice !== undefined,
    inMemory: file?.stat.fileSystem === "memory",
    direct: usesDirectIo(options),
    traced: options.trace !== undefined,
    maxPayload: MAX_PAYLOAD,
  });
}

function handlerOf(
  { attachment: image, backend, singleQueueReason, syncErrors }: OpenImage,
  state: ExportState,
  rules: Omit<ExportRules, "allowOther">,
  cache: CacheState,
  queues: number,
): SessionHandler {
  const rulesFor = ({ allowOther, backingId, negotiated }: MountedFacts) => ({
    ...rules,
    allowOther,
    backingId,
    cache: negotiatedCache(cache, negotiated).kind,
  });
  if (image === null) {
    return {
      singleQueueReason: queues > 1 ? singleQueueReason : null,
      handler: (facts, onZeroed) =>
        new BlockExport({
          backend,
          state,
          rules: rulesFor(facts),
          syncErrors,
          onZeroed,
        }),
    };
  }
  return {
    singleQueueReason: null,
    spec: (facts) => ({
      kind: "export",
      image,
      syncErrors: syncErrors.memory,
      state: state.memory,
      rules: rulesFor(facts),
    }),
  };
}
