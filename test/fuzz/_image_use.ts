/**
 * What is done to a damaged image: opening it gives an image or a sentence,
 * reading it gives bytes or EIO, and changing it succeeds or fails with an errno.
 * Reads are the same whether the image's file answers at once or later.
 *
 * @module
 */
import { assert, assertEquals } from "@std/assert";
import type { Answer, Backend } from "../../src/backends/backend.ts";
import type { ImageOptions } from "../../src/backends/driver.ts";
import { rangeAt } from "../../src/backends/image_map.ts";
import { type OpenImage, openImage } from "../../src/backends/open_image.ts";
import { parseSource } from "../../src/backends/registry.ts";
import { ERRNO } from "../../src/base/errno.ts";
import { errnoOf } from "../../src/base/errno_of.ts";
import { UserError } from "../../src/base/user_error.ts";
import type { FakeFiles } from "../backends/_fake_files.ts";
import { imageOptions } from "../backends/_image_options.ts";
import { LaterFileIo } from "../backends/_later_file_io.ts";
import type { Random } from "../_random.ts";

/** Bytes of a buffer, all of which one read may take. */
const BUFFER = 70_000;

/** Errors that a change of a damaged image may have. */
const CHANGE_ERRORS: readonly number[] = [
  ERRNO.EIO,
  ERRNO.ENOSPC,
  ERRNO.EFBIG,
  ERRNO.EOPNOTSUPP,
];

/** Bytes of memory for the tables of an image. */
const CACHE_SIZE = 4096;

const BUFFERS = [
  new Uint8Array(BUFFER + 64),
  new Uint8Array(BUFFER + 64),
] as const;

/** How a damaged image is opened. */
export interface UsedImage {
  /** Its source; the image is in the file `disk`. */
  readonly source: string;
  readonly options?: Partial<ImageOptions>;
}

/** One use of an image. */
export class ImageUse {
  /** Whether it could be opened. */
  isOpened = false;
  /** Whether it could be opened for writing. */
  isWritten = false;
  readonly #random: Random;
  readonly #image: UsedImage;

  constructor(random: Random, image: UsedImage) {
    this.#random = random;
    this.#image = image;
  }

  /**
   * Opens the image in a file, and uses it.
   *
   * @throws {Error} If it does harm.
   */
  async run(files: FakeFiles): Promise<void> {
    const services = files.services();
    const later = { ...services, fileIo: () => new LaterFileIo(files) };
    const { source } = this.#image;
    const options = {
      ...imageOptions,
      cacheSize: CACHE_SIZE,
      ...this.#image.options,
    };
    const { driver, source: parsed } = parseSource(source);
    const raw = await openImage(
      "disk",
      { ...imageOptions, writable: true, growable: true },
      services,
    );
    const facts = driver.describe?.(raw.backend, "disk", parsed);
    if (facts !== undefined) await orRefusal(facts);
    await raw.close();
    const now = await orRefusal(openImage(source, options, services));
    const then = await orRefusal(openImage(source, options, later));
    assertEquals(now === null, then === null);
    if (now === null || then === null) return;
    this.isOpened = true;
    await this.#read(now, then);
    await now.close();
    await then.close();
    const how = this.#random.oneIn(2) ? services : later;
    const writable = { ...options, writable: true };
    const image = await orRefusal(openImage(source, writable, how));
    if (image === null) return;
    this.isWritten = true;
    await this.#change(image);
    await image.close();
  }

  async #change({ backend, stat: { size } }: OpenImage): Promise<void> {
    const random = this.#random;
    const [buffer] = BUFFERS;
    for (let i = 0; i < 8; i++) {
      const near = random.oneIn(2) ? Math.min(size, 100_000) : size;
      const position = Math.min(size - 1, random.below(near));
      const most = random.pick([600, 5000, BUFFER]);
      const length = 1 + random.below(Math.min(size - position, most));
      const unmap = random.oneIn(2);
      switch (random.below(8)) {
        case 0:
          await changed(() => backend.flush());
          break;
        case 1:
          await read(backend, position, buffer, length);
          break;
        case 2:
        case 3:
          await changed(() => backend.zero(position, length, { unmap }));
          break;
        case 4:
          // The table gives the size of a partition.
          if (this.#image.options?.partition !== undefined) break;
          await changed(() =>
            backend.truncate(random.pick([near, size + 7e4]))
          );
          break;
        default:
          await changed(() => backend.write(position, buffer, 0, length));
      }
      size = (await backend.stat()).size;
      if (size === 0) return;
    }
  }

  async #read(now: OpenImage, then: OpenImage): Promise<void> {
    const random = this.#random;
    const { size } = now.stat;
    assertEquals(then.stat.size, size);
    for (let i = 0; i < 8; i++) {
      const near = random.oneIn(2) ? Math.min(size, 100_000) : size;
      const position = Math.min(size - 1, random.below(near));
      const most = random.pick([600, 600, 5000, BUFFER]);
      const length = 1 + random.below(Math.min(size - position, most));
      const [one, other] = BUFFERS;
      const got = await read(now.backend, position, one, length);
      assertEquals(await read(then.backend, position, other, length), got);
      for (let at = 0; at < got; at++) {
        if (one[at] !== other[at]) {
          throw new Error(`reads at ${position + at} differ`);
        }
      }
    }
    let at = random.below(size);
    for (let i = 0; i < 8 && at < size; i++) {
      const position = at;
      const extent = await orEio(async () =>
        await now.backend.extent(position)
      );
      await orEio(() => rangeAt(now.backend, position));
      if (extent === null) break;
      assert(extent.end > at, `an extent at ${at} ends at ${extent.end}`);
      at = extent.end;
    }
  }
}

/** The result of a read: bytes or `-EIO`; nothing after them is touched. */
async function read(
  backend: Backend,
  position: number,
  buffer: Uint8Array,
  length: number,
): Promise<number> {
  const after = buffer.fill(0xee, length, length + 64);
  const got = await backend.read(position, buffer, 0, length);
  assert(got === -ERRNO.EIO || (got > 0 && got <= length), `${got}`);
  assert(after.subarray(length, length + 64).every((byte) => byte === 0xee));
  return got;
}

/** Makes a change, which succeeds or fails with an expected errno. */
async function changed(change: () => Answer): Promise<void> {
  let result: number;
  try {
    result = await change();
  } catch (error) {
    result = -errnoOf(error);
  }
  assert(result >= 0 || CHANGE_ERRORS.includes(-result), `${result}`);
}

/** `null` if something is refused in a sentence. */
async function orRefusal<T>(result: Promise<T>): Promise<T | null> {
  try {
    return await result;
  } catch (error) {
    if (error instanceof UserError) return null;
    throw error;
  }
}

/** `null` if it fails with EIO. */
async function orEio<T>(call: () => Promise<T>): Promise<T | null> {
  try {
    return await call();
  } catch (error) {
    if (errnoOf(error) === ERRNO.EIO) return null;
    throw error;
  }
}
