import { ERRNO } from "../base/errno.ts";
import { UserError } from "../base/user_error.ts";
import type { ImageAttachment } from "./attach_image.ts";
import { changeOffline, qcow2FileOf } from "./change_offline.ts";
import { mustWrite } from "./convert/must_write.ts";
import type { CopyWatch } from "./copy_watch.ts";
import { type ImageOptions, LOOK_OPTIONS } from "./driver.ts";
import { QCOW2 } from "./formats/qcow2/driver.ts";
import { emptyDisk } from "./formats/qcow2/snapshots/change_snapshots.ts";
import { type ImageRange, mapImage } from "./image_map.ts";
import { type OpenImage, openImage } from "./open_image.ts";
import { FILE } from "./protocols/file/driver.ts";
import type { DriverServices } from "./services.ts";
import { mustFlush, mustRead, mustZero } from "./write_range.ts";

/** How an overlay is committed. */
export interface Commit {
  /** Whether the overlay keeps what was committed. */
  readonly keep: boolean;
  /** As that of `ImageOptions`. */
  readonly allowReference: ImageOptions["allowReference"];
}

/** What was committed. */
export interface Committed {
  /** The name of the image below. */
  readonly backing: string;
  /** Bytes that were written to it, and zeroed in it. */
  readonly written: number;
}

/** Bytes that are copied at once. */
const STEP = 1 << 20;

/**
 * Writes what an overlay has to the image below it, and empties the overlay. No
 * program may use either; both are locked.
 *
 * The overlay is emptied once all of it is on the storage of the image below. So
 * the overlay reads the same at every moment.
 *
 * @param text The source of the overlay, as users write it.
 * @throws {UserError} If it cannot be done. The image below may have a part of
 * it then; the overlay has all of it.
 */
export async function commitImage(
  text: string,
  { keep, allowReference }: Commit,
  services: DriverServices,
  watch: CopyWatch,
): Promise<Committed> {
  let committed: Committed | null = null;
  const path = qcow2FileOf(text, "commit");
  await changeOffline(path, services, async ({ backend, name }) => {
    // The file is locked by now.
    const options = { ...LOOK_OPTIONS, allowReference };
    const overlay = await openImage(text, options, services);
    try {
      const source = backingOf(overlay);
      const base = await openImage(source, {
        ...options,
        writable: true,
        growable: true,
        lock: true,
      }, services);
      try {
        await fit(overlay, base);
        const written = await copyDown(overlay, base, watch);
        await mustFlush(base.backend);
        committed = { backing: base.name, written };
      } finally {
        await base.close();
      }
    } finally {
      await overlay.close();
    }
    if (!keep) await emptyDisk(backend, name);
  });
  return committed!;
}

/** The image below an overlay, as it was opened. */
function backingOf({ attachment, name }: OpenImage) {
  const [file, ...others] = attachment?.below ?? [];
  const below = others.at(-1);
  const hasBacking =
    (attachment?.attachment as { backingSize: number | null }).backingSize !==
      null;
  if (file === undefined || below === undefined || !hasBacking) {
    throw new UserError(
      `Cannot commit ${name}: it has no backing file; name an overlay`,
    );
  }
  const path = pathOf(below);
  return below.driver === QCOW2.name
    ? { driver: QCOW2, source: { file: path } }
    : { driver: FILE, source: path };
}

/** The path of the file of an image. */
function pathOf({ driver, attachment, below }: ImageAttachment): string {
  return driver === FILE.name
    ? (attachment as { name: string }).name
    : pathOf(below[0]!);
}

/** Makes the image below as large as the overlay. */
async function fit(overlay: OpenImage, base: OpenImage): Promise<void> {
  const { size } = overlay.stat;
  if (size <= base.stat.size) return;
  const result = await base.backend.truncate(size);
  if (result >= 0) return;
  const why = result === -ERRNO.EOPNOTSUPP
    ? "it has snapshots, so that its size may not change; delete them first"
    : "it is a device, or its file system has no space; make it larger first";
  throw new UserError(
    `Cannot commit ${overlay.name}: it is larger than ${base.name}, and ${why}`,
  );
}

/** Copies what the overlay has itself; returns the bytes. */
async function copyDown(
  overlay: OpenImage,
  base: OpenImage,
  { signal, progress }: CopyWatch,
): Promise<number> {
  const isOwn = ({ depth, present }: ImageRange) => depth === 0 && present;
  const { size } = overlay.stat;
  const buffer = new Uint8Array(STEP);
  let written = 0;
  for await (const range of mapImage(overlay.backend)) {
    if (!isOwn(range)) continue;
    const end = range.start + range.length;
    if (range.zero) {
      signal.throwIfAborted();
      await mustZero(base.backend, range.start, range.length);
      written += range.length;
      continue;
    }
    for (let at = range.start; at < end; at += STEP) {
      signal.throwIfAborted();
      const length = Math.min(STEP, end - at);
      await mustRead(overlay.backend, size, at, buffer, length);
      await mustWrite(base.backend, at, buffer, 0, length);
      written += length;
      await progress("committing", at + length, size);
    }
  }
  return written;
}
