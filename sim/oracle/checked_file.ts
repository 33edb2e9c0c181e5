import { ERRNO } from "../../src/base/errno.ts";
import { FALLOC_FL } from "../../src/base/file_flags.ts";
import { SimError } from "../kernel/call.ts";
import { SimClient, type SimMount } from "../vfs/sim_client.ts";
import type { SimFile } from "../vfs/sim_file.ts";
import type { DiskModel } from "./disk_model.ts";

/**
 * A file whose every read is compared with a {@linkcode DiskModel}.
 *
 * @category Checking
 */
export class CheckedFile {
  /** The file itself, for calls that the model does not follow. */
  readonly file: SimFile;
  readonly #model: DiskModel;

  /**
   * Connects a file with a model.
   *
   * @param file The file.
   * @param model The model of the disk; all files of a mount share it.
   */
  constructor(file: SimFile, model: DiskModel) {
    this.file = file;
    this.#model = model;
  }

  /**
   * `SimFile.pread()`.
   *
   * @throws {ModelMismatch} If the bytes are wrong.
   */
  pread(into: Uint8Array, position: number): Promise<number> {
    const work = () => this.file.pread(into, position);
    return this.#read(into, position, work);
  }

  /**
   * `SimFile.aioRead()`.
   *
   * @throws {ModelMismatch} If the bytes are wrong.
   */
  aioRead(into: Uint8Array, position: number): Promise<number> {
    const work = () => this.file.aioRead(into, position);
    return this.#read(into, position, work);
  }

  /** `SimFile.pwrite()`; `from` must not change until it resolves. */
  pwrite(from: Uint8Array, position: number): Promise<number> {
    const work = () => this.file.pwrite(from, position);
    return this.#write(from, from.length, position, work);
  }

  /** `SimFile.aioWrite()`; `from` must not change until it resolves. */
  aioWrite(from: Uint8Array, position: number): Promise<number> {
    const work = () => this.file.aioWrite(from, position);
    return this.#write(from, from.length, position, work);
  }

  /** `SimFile.ftruncate()`. */
  ftruncate(size: number): Promise<void> {
    return this.resize(size, () => this.file.ftruncate(size));
  }

  /** Follows any call that sets the size. */
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

  /** Reserves the space of a range: `SimFile.fallocate()`. */
  async reserve(position: number, length: number): Promise<void> {
    const reserve = this.#model.beginReserve(position, length);
    try {
      await this.file.fallocate(0, position, length);
    } catch (error) {
      this.#model.endReserve(reserve, isLost(error) ? "lost" : "failed");
      throw error;
    }
    this.#model.endReserve(reserve, "done");
  }

  /** Zeroes a range inside the file: `SimFile.fallocate()`. */
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
    // Plain promises are faster here than an async function.
    return work().then((count) => {
      model.endRead(read, count < into.length ? into.subarray(0, count) : into);
      return count;
    }, (error) => {
      model.endRead(read, null);
      throw error;
    });
  }

  /**
   * Follows any call that writes bytes at a position.
   *
   * @param from The bytes.
   * @param position Where they are written.
   * @param work Makes the call; resolves to the number of bytes.
   * @param lingers Whether a failed call may still reach the disk.
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

/** Whether a failed request may still be carried out: its queue was closed. */
export function isLost(error: unknown): boolean {
  return error instanceof SimError && error.errno === ERRNO.ECONNABORTED;
}

const CHUNK = 65536;
const AUDITOR = { uid: 0, gid: 0, pid: 999 };

/**
 * Reads a whole disk that no one else uses, and compares its size and every
 * byte with a model.
 *
 * @category Checking
 */
export async function auditDisk(
  mount: SimMount,
  model: DiskModel,
): Promise<void> {
  const client = new SimClient(mount, AUDITOR);
  const file = await client.open();
  const checked = new CheckedFile(file, model);
  // A read invalidates the attributes, so that the server is asked.
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
