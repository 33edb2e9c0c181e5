import { UserError } from "../base/user_error.ts";
import { filesOf } from "./attach_image.ts";
import { changeOffline, qcow2FileOf } from "./change_offline.ts";
import { firstDifference, isZero } from "./convert/compare_bytes.ts";
import { mustWrite } from "./convert/must_write.ts";
import type { CopyWatch } from "./copy_watch.ts";
import { type ImageOptions, LOOK_OPTIONS } from "./driver.ts";
import { nameFrom } from "./formats/qcow2/creating/create_qcow2.ts";
import { checkBacking, setBacking } from "./formats/qcow2/set_backing.ts";
import { rawPathOf } from "./image_chain.ts";
import { mapImage } from "./image_map.ts";
import { type OpenImage, openImage } from "./open_image.ts";
import { shownSource } from "./protocols/http/url.ts";
import { recordedBacking } from "./recorded_backing.ts";
import type { DriverServices } from "./services.ts";
import { mustFlush, mustRead, mustZero } from "./write_range.ts";

/** How an image gets another one below it. */
export interface Rebase {
  /** The new image below, as users write it; `null` for none. */
  readonly backing: string | null;
  /** Whether only its name is changed, and nothing compared. */
  readonly unsafe: boolean;
  /** As that of `ImageOptions`. */
  readonly allowReference: ImageOptions["allowReference"];
}

/** Bytes that are compared at once. */
const STEP = 1 << 20;

/**
 * Puts an image on another one. What it has shown of the old one and the new one
 * does not have, is copied into it first, so that it reads the same at every
 * moment. No program may use it; it is locked.
 *
 * @param text The source of the image, as users write it.
 * @returns The bytes that were copied into it.
 * @throws {UserError} If it cannot be done; it reads as before then.
 */
export async function rebaseImage(
  text: string,
  { backing, unsafe, allowReference }: Rebase,
  services: DriverServices,
  watch: CopyWatch,
): Promise<number> {
  const path = qcow2FileOf(text, "rebase");
  const recorded = backing === null ? null : recordedBacking(backing, services);
  if (backing !== null && recorded === null) {
    throw new UserError(
      `Cannot record ${
        shownSource(backing)
      } as a backing image: only files can be recorded, raw:PATH or qcow2:PATH`,
    );
  }
  const { files } = services;
  const named = recorded === null
    ? null
    : { ...recorded, name: nameFrom(path, recorded.name, files) };
  let written = 0;
  await changeOffline(path, services, async ({ backend, name }) => {
    // Copying may take long: refuse a path that does not fit before it.
    await checkBacking(backend, name, named);
    if (!unsafe) {
      // The file is locked by now.
      const options = { ...LOOK_OPTIONS, allowReference };
      const image = await openImage(
        text,
        { ...options, writable: true },
        services,
      );
      try {
        const below = backing === null
          ? null
          : await openBelow(backing, path, options, services);
        try {
          written = await copyUp(image, below, watch);
          await mustFlush(image.backend);
        } finally {
          await below?.close();
        }
      } finally {
        await image.close();
      }
    }
    watch.signal.throwIfAborted();
    await setBacking(backend, name, named);
  });
  return written;
}

async function openBelow(
  backing: string,
  path: string,
  options: ImageOptions,
  services: DriverServices,
): Promise<OpenImage> {
  const source = rawPathOf(backing) ?? backing;
  const own = services.files.absolutePath(path);
  const looked = await openImage(source, options, services);
  const isSame = [...filesOf(looked.attachment)].includes(own);
  await looked.close();
  if (isSame) {
    throw new UserError(
      `Cannot put ${path} on ${backing}: it is part of that chain itself; choose another image`,
    );
  }
  return await openImage(source, { ...options, lock: true }, services);
}

/** Copies what an image shows and the new one below does not have. */
async function copyUp(
  image: OpenImage,
  below: OpenImage | null,
  { signal, progress }: CopyWatch,
): Promise<number> {
  const { size, blockSize: unit } = image.stat;
  const step = Math.max(STEP, unit);
  const now = new Uint8Array(step);
  const then = new Uint8Array(step);
  let written = 0;
  for await (const range of mapImage(image.backend)) {
    if (range.depth === 0 && range.present) continue;
    const isBelow = range.depth > 0;
    const end = range.start + range.length;
    for (let at = range.start; at < end;) {
      signal.throwIfAborted();
      const length = Math.min(step - at % step, end - at);
      await mustRead(image.backend, size, at, now, length);
      if (below === null) then.fill(0, 0, length);
      else {
        const { backend, stat } = below;
        await mustRead(backend, stat.size, at, then, length);
      }
      for (let from = 0; from < length;) {
        const part = Math.min(unit - (at + from) % unit, length - from);
        written += await keep(image, now, then, at, from, part, isBelow);
        from += part;
      }
      at += length;
      await progress("comparing", at, size);
    }
  }
  return written;
}

/** Writes a part to the image if it would read as something else. */
async function keep(
  { backend }: OpenImage,
  now: Uint8Array,
  then: Uint8Array,
  at: number,
  from: number,
  length: number,
  isBelow: boolean,
): Promise<number> {
  if (firstDifference(now, then, from, length) < 0) return 0;
  // An entry says that it is zeroes only if something is below now.
  const isMarked = isBelow && isZero(now, from, length);
  if (isMarked) await mustZero(backend, at + from, length);
  else await mustWrite(backend, at + from, now, from, length);
  return length;
}
