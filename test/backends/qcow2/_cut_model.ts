/**
 * What an image may read as after a cut of the power, while it is changed.
 *
 * @module
 */
import { assert, assertEquals } from "@std/assert";
import type { Backend } from "../../../src/backends/backend.ts";
import { checkQcow2 } from "../../../src/backends/formats/qcow2/check/check_qcow2.ts";
import { INCOMPATIBLE } from "../../../src/backends/formats/qcow2/constants.ts";
import { openImage } from "../../../src/backends/open_image.ts";
import type { Random } from "../../_random.ts";
import { imageOptions } from "../_image_options.ts";
import { type CutDisk, cutServices, PATH } from "./_cut_disk.ts";
import type { Check, RecordedDisk } from "./_power_cuts.ts";

/** The source of the image in a disk. */
export const SOURCE = `qcow2:${PATH}`;
const SECTOR = 512;
/** The longest file of an image, and the largest disk. */
export const MAX: number = 1 << 20;
/** Where a header has its incompatible features. */
const INCOMPATIBLE_AT = 72;
/** A sector that has what it had first. */
const FIRST = -1;

/** All bytes of a file. */
export function bytesOf(disk: CutDisk): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(disk.size);
  disk.pread(bytes, 0, bytes.length, 0);
  return bytes;
}

/** Opens the image for writing, changes it, and closes it. */
export async function changed(
  disk: CutDisk,
  change: (backend: Backend) => unknown,
  cacheSize: number = 1 << 20,
): Promise<void> {
  const options = { ...imageOptions, writable: true, cacheSize };
  const image = await openImage(SOURCE, options, cutServices(disk, null));
  await change(image.backend);
  await image.close();
}

/** What the image reads as, or a snapshot of it. */
export async function contentOf(
  disk: CutDisk,
  snapshot: string | null = null,
): Promise<Uint8Array> {
  const options = { ...imageOptions, snapshot };
  const image = await openImage(SOURCE, options, cutServices(disk, null));
  const { backend, stat } = image;
  const bytes = new Uint8Array(stat.size);
  for (let done = 0; done < bytes.length;) {
    const got = await backend.read(done, bytes, done, bytes.length - done);
    if (!(got > 0)) throw new Error(`reading at ${done}: ${got}`);
    done += got;
  }
  await image.close();
  return bytes;
}

/** Requires that there is no damage, once a dirty image was opened for writing. */
export async function assertSound(disk: CutDisk): Promise<void> {
  const view = new DataView(bytesOf(disk).buffer);
  const isDirty = view.getUint32(4) === 3 &&
    (view.getBigUint64(INCOMPATIBLE_AT) & INCOMPATIBLE.DIRTY) !== 0n;
  if (isDirty) await changed(disk, () => {});
  const file = await openImage(PATH, imageOptions, cutServices(disk, null));
  const { damage } = await checkQcow2(file.backend, PATH);
  await file.close();
  assertEquals(damage, []);
}

/** What a disk may read as after a cut. */
export class Model {
  readonly #first: Uint8Array;
  readonly #now: number[];
  #may: Set<number>[];
  #sizes: Set<number>;

  constructor(first: Uint8Array) {
    this.#first = first;
    const sectors = MAX / SECTOR;
    this.#now = Array.from(
      { length: sectors },
      (_, i) => i * SECTOR < first.length ? FIRST : 0,
    );
    this.#may = this.#now.map((value) => new Set([value]));
    this.#sizes = new Set([first.length]);
  }

  /** Begins to fill sectors with a byte. */
  begin(first: number, count: number, byte: number): void {
    for (let i = first; i < first + count; i++) {
      this.#may[i]!.add(byte);
      this.#now[i] = byte;
    }
  }

  beginResize(from: number, to: number): void {
    this.#sizes = new Set([from, to]);
    const [low, high] = [Math.min(from, to), Math.max(from, to)];
    for (let i = low / SECTOR; i < high / SECTOR; i++) {
      if (to > from) this.#may[i]!.clear();
      this.#may[i]!.add(0);
      this.#now[i] = 0;
    }
  }

  resized(to: number): void {
    this.#sizes = new Set([to]);
  }

  flushed(): void {
    this.#may = this.#now.map((value) => new Set([value]));
  }

  /** The check of what may be there now. */
  check(): Check {
    const first = this.#first;
    const may = this.#may.map((values) => new Set(values));
    const sizes = new Set(this.#sizes);
    return async (disk) => {
      await assertSound(disk);
      const content = await contentOf(disk);
      assert(sizes.has(content.length), `the size is ${content.length}`);
      for (let i = 0; i < content.length / SECTOR; i++) {
        const isThere = [...may[i]!].some((value) => {
          for (let at = i * SECTOR; at < (i + 1) * SECTOR; at++) {
            const wanted = value === FIRST ? first[at] : value;
            if (content[at] !== wanted) return false;
          }
          return true;
        });
        const got = content[i * SECTOR];
        assert(isThere, `sector ${i} has ${got}, not ${[...may[i]!]}`);
      }
    };
  }
}

/** Changes an image at random, and notes what cuts may leave. */
export async function load(
  disk: RecordedDisk,
  model: Model,
  random: Random,
  steps: number,
  mayResize: boolean,
): Promise<void> {
  await changed(disk, async (backend) => {
    let size = (await contentOf(disk)).length;
    const sizes = mayResize
      ? [size / 2, size, size, 2 * size + SECTOR]
      : [size];
    for (let i = 0; i < steps; i++) {
      const kind = random.pick([
        "write",
        "write",
        "zero",
        "unmap",
        "flush",
        "size",
      ]);
      if (kind === "flush" || i === steps - 1) {
        assertEquals(await backend.flush(), 0);
        model.flushed();
      } else if (kind === "size") {
        const wanted = random.pick(sizes);
        model.beginResize(size, wanted);
        disk.expect(model.check());
        assertEquals(await backend.truncate(wanted), 0);
        model.resized(wanted);
        size = wanted;
      } else {
        const count = 1 + random.below(random.pick([1, 3, 12]));
        const first = random.below(size / SECTOR - count);
        const byte = kind === "write" ? 10 + i : 0;
        model.begin(first, count, byte);
        disk.expect(model.check());
        const [position, length] = [first * SECTOR, count * SECTOR];
        const data = new Uint8Array(length).fill(byte);
        const result = kind === "write"
          ? await backend.write(position, data, 0, length)
          : await backend.zero(position, length, { unmap: kind === "unmap" });
        assertEquals(result, kind === "write" ? length : 0, kind);
        continue;
      }
      disk.expect(model.check());
    }
  }, random.pick([0, 1 << 20]));
}
