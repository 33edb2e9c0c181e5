import type { Backend, ImageStat } from "../../backend.ts";
import { MappedImage, type MappedParts } from "../../mapped/mapped_backend.ts";

/** What a {@linkcode VmdkImage} is made of. */
export interface VmdkParts extends MappedParts {
  /** The file that the user named. */
  readonly own: Backend;
  /** Whether the disk is in that file alone. */
  readonly isOneFile: boolean;
}

/** A VMDK image, read by one thread. */
export class VmdkImage extends MappedImage {
  readonly #own: Backend;
  /** The files whose space counts. */
  readonly #files: readonly Backend[];
  readonly #blockSize: number;

  /** Puts an image together. Its owner closes the files after it. */
  constructor(parts: VmdkParts) {
    super(parts);
    const { own, isOneFile, files, clusterSize } = parts;
    const others = files.map(({ backend }) => backend);
    this.#own = own;
    this.#files = isOneFile ? others : [own, ...others];
    this.#blockSize = clusterSize;
  }

  /** Times are those of the file that was named; space is that of all files. */
  override async stat(): Promise<ImageStat> {
    const { times } = await this.#own.stat();
    let allocated: number | null = 0;
    for (const file of this.#files) {
      const { allocated: more } = await file.stat();
      allocated = allocated === null || more === null ? null : allocated + more;
    }
    return { size: this.size, allocated, blockSize: this.#blockSize, times };
  }
}
