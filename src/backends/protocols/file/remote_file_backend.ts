import { ERRNO } from "../../../base/errno.ts";
import { SEEK } from "../../../base/file_flags.ts";
import type { Extent, ImageStat } from "../../backend.ts";
import type { BlockFile } from "../../block_file.ts";
import {
  AsyncFileBackend,
  type AsyncFileOptions,
} from "./async_file_backend.ts";
import { imageStatOf } from "./file_backend.ts";

/**
 * A file on a server, such as that of NFS or FUSE. While the server does not
 * answer, calls wait that take no time elsewhere, such as stat. So they are made
 * in another thread too.
 */
export class RemoteFileBackend extends AsyncFileBackend {
  readonly #file: BlockFile;
  /** The stat that is in flight. */
  #current: Promise<ImageStat> | null = null;
  /** The one after it, for all that came meanwhile. */
  #next: Promise<ImageStat> | null = null;

  constructor(options: AsyncFileOptions) {
    super(options);
    this.#file = options.file;
  }

  /**
   * One at a time, because each takes a thread of a pool while the server does
   * not answer.
   */
  override stat(): Promise<ImageStat> {
    if (this.#current === null) return this.#startStat();
    this.#next ??= Promise.allSettled([this.#current]).then(() => {
      this.#next = null;
      return this.#startStat();
    });
    return this.#next;
  }

  override async extent(position: number): Promise<Extent> {
    const data = await this.#seek(position, SEEK.DATA);
    if (data === -ERRNO.ENXIO) {
      // What other programs have cut off is no hole, but an error.
      const { size } = await this.stat();
      return position < size
        ? { data: false, end: size }
        : { data: true, end: Infinity };
    }
    // Without SEEK_DATA everything counts as data.
    if (data < 0) return { data: true, end: Infinity };
    if (data > position) return { data: false, end: data };
    const hole = await this.#seek(position, SEEK.HOLE);
    return { data: true, end: hole > position ? hole : Infinity };
  }

  #startStat(): Promise<ImageStat> {
    const stat = this.#fstat();
    this.#current = stat;
    const ended = () => {
      if (this.#current === stat) this.#current = null;
    };
    stat.then(ended, ended);
    return stat;
  }

  async #fstat(): Promise<ImageStat> {
    const file = this.#file;
    const stat = await file.fstatLater?.() ?? file.fstat();
    return imageStatOf(stat, this.name);
  }

  async #seek(position: number, whence: number): Promise<number> {
    const file = this.#file;
    return await file.lseekLater?.(position, whence) ??
      file.lseek(position, whence);
  }
}
