const PAGE = 4096;

/**
 * A copy of an image that is damaged in place and then restored, page by page: a
 * VHDX has five mebibytes, of which little is ever damaged.
 */
export class ImageCopy {
  /** The image, damaged or not. */
  readonly bytes: Uint8Array<ArrayBuffer>;
  readonly view: DataView<ArrayBuffer>;
  readonly #whole: Uint8Array;
  readonly #touched = new Set<number>();

  /** Copies an image. */
  constructor(image: Uint8Array) {
    this.#whole = image;
    this.bytes = image.slice();
    this.view = new DataView(this.bytes.buffer);
  }

  /** Has to be told of each range before it is changed. */
  touch(at: number, length: number): void {
    const last = Math.floor((at + length - 1) / PAGE);
    for (let page = Math.floor(at / PAGE); page <= last; page++) {
      this.#touched.add(page);
    }
  }

  /** Makes the copy equal to the image again. */
  restore(): void {
    for (const page of this.#touched) {
      const at = page * PAGE;
      this.bytes.set(this.#whole.subarray(at, at + PAGE), at);
    }
    this.#touched.clear();
  }
}
