import { ERRNO } from "../../src/base/errno.ts";
import { FALLOC_FL } from "../../src/base/file_flags.ts";
import { SimError } from "../kernel/call.ts";
import { SimClient, type SimMount } from "../vfs/sim_client.ts";
import type { SimFile } from "../vfs/sim_file.ts";
import type { DiskModel } from "./disk_model.ts";

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
  ftruncate(size: number): Promise<void> {
    return this.resize(size, () => this.file.ftruncate(size));
  }

  /** Anything that sets the size. */
  async resize(size: number, work: () => Promise<void>): Promise<void> {
    const resize = this.#model.beginResize(size);
    try {
      await work();
    } catch (error) {
      this.#model.endResize(resize, isLost(error) ? "lost" : "failed");
      throw error;
    }
    this.#model.endResize(resize, "done");
  }

  /** Makes a range zero inside the file: `SimFile.fallocate()`. */
  async zero(
    position: number,
    length: number,
    options: { readonly unmap: boolean },
  ): Promise<void> {
    const mode = FALLOC_FL.KEEP_SIZE |
      (options.unmap ? FALLOC_FL.PUNCH_HOLE : FALLOC_FL.ZERO_RANGE);
    await this.#write(null, length, position, async () => {
      await this.file.fallocate(mode, position, length);
      return length;
    });
  }

  #read(
    into: Uint8Array,
    position: number,
    work: () => Promise<number>,
  ): Promise<number> {
    const model = this.#model;
    const read = model.beginRead(position, into.length);
    // Promises are cheaper here than a function that waits.
    return work().then((count) => {
      model.endRead(read, count < into.length ? into.subarray(0, count) : into);
      return count;
    }, (error) => {
      model.endRead(read, null);
      throw error;
    });
  }

  /**
   * Anything that writes bytes at a position.
   *
   * @param lingers Whether it may still take place after it has failed.
   */
  write(
    from: Uint8Array,
    position: number,
    work: () => Promise<number>,
    lingers: boolean = false,
  ): Promise<number> {
    return this.#write(from, from.length, position, work, lingers);
  }

  #write(
    from: Uint8Array | null,
    length: number,
    position: number,
    work: () => Promise<number>,
    lingers: boolean = false,
  ): Promise<number> {
    const model = this.#model;
    const write = model.beginWrite(position, from, length);
    return work().then((count) => {
      model.endWrite(write, count);
      return count;
    }, (error) => {
      model.endWrite(write, -1, lingers || isLost(error));
      throw error;
    });
  }
}

/** Whether the server may still do what failed: its queue is gone. */
export function isLost(error: unknown): boolean {
  return error instanceof SimError && error.errno === ERRNO.ECONNABORTED;
}

const CHUNK = 65536;
const AUDITOR = { uid: 0, gid: 0, pid: 999 };

/**
 * Reads a whole disk, while nobody else uses it, and compares its size and
 * every byte with a model.
 */
export async function auditDisk(
  mount: SimMount,
  model: DiskModel,
): Promise<void> {
  const client = new SimClient(mount, AUDITOR);
  const file = await client.open();
  const checked = new CheckedFile(file, model);
  // A read puts the attributes in doubt, so that the server is asked.
  await checked.pread(new Uint8Array(1), 0);
  const { size } = await client.stat();
  model.sawSize(size);
  for (let at = 0; at < size; at += CHUNK) {
    const count = await checked.pread(new Uint8Array(CHUNK), at);
    if (count !== Math.min(CHUNK, size - at)) {
      throw new SimError("read the whole disk", ERRNO.EIO);
    }
  }
  await file.close();
}
