import { FALLOC_FL } from "../src/protocol/flags.ts";
import type { DiskModel } from "./model.ts";
import type { SimFile } from "./sim_file.ts";

/** A file whose every read is compared with a model. */
export class CheckedFile {
  /** The file itself, for what a model knows nothing of. */
  readonly file: SimFile;
  readonly #model: DiskModel;

  /**
   * Puts a model beside a file.
   *
   * @param file The file.
   * @param model What it must hold; several files of one mount share it.
   */
  constructor(file: SimFile, model: DiskModel) {
    this.file = file;
    this.#model = model;
  }

  /** `SimFile.pread()`; throws `ModelMismatch` where it reads wrong bytes. */
  pread(into: Uint8Array, position: number): Promise<number> {
    const work = () => this.file.pread(into, position);
    return this.#read(into, position, work);
  }

  /** `SimFile.aioRead()`, compared as well. */
  aioRead(into: Uint8Array, position: number): Promise<number> {
    const work = () => this.file.aioRead(into, position);
    return this.#read(into, position, work);
  }

  /** `SimFile.pwrite()`; `from` must not change meanwhile. */
  pwrite(from: Uint8Array, position: number): Promise<number> {
    const work = () => this.file.pwrite(from, position);
    return this.#write(from, from.length, position, work);
  }

  /** `SimFile.aioWrite()`; `from` must not change meanwhile. */
  aioWrite(from: Uint8Array, position: number): Promise<number> {
    const work = () => this.file.aioWrite(from, position);
    return this.#write(from, from.length, position, work);
  }

  /** `SimFile.ftruncate()`. */
  async ftruncate(size: number): Promise<void> {
    await this.file.ftruncate(size);
    this.#model.resize(size);
  }

  /** Makes a range zero inside the file: `SimFile.fallocate()`. */
  async zero(
    position: number,
    length: number,
    options: { readonly unmap: boolean },
  ): Promise<void> {
    const mode = FALLOC_FL.KEEP_SIZE |
      (options.unmap ? FALLOC_FL.PUNCH_HOLE : FALLOC_FL.ZERO_RANGE);
    const fits = Math.max(0, Math.min(length, this.#model.size - position));
    await this.#write(null, fits, position, async () => {
      await this.file.fallocate(mode, position, length);
      return fits;
    });
  }

  async #read(
    into: Uint8Array,
    position: number,
    work: () => Promise<number>,
  ): Promise<number> {
    const read = this.#model.beginRead(position, into.length);
    let count;
    try {
      count = await work();
    } catch (error) {
      this.#model.endRead(read, null);
      throw error;
    }
    this.#model.endRead(read, into.subarray(0, count));
    return count;
  }

  async #write(
    from: Uint8Array | null,
    length: number,
    position: number,
    work: () => Promise<number>,
  ): Promise<number> {
    const write = this.#model.beginWrite(position, from, length);
    let count;
    try {
      count = await work();
    } catch (error) {
      this.#model.endWrite(write, -1);
      throw error;
    }
    this.#model.endWrite(write, count);
    return count;
  }
}
