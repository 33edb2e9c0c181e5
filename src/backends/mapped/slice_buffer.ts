/** A slice of a table on its way from the file into the cache. */
export class SliceBuffer {
  /** As in the file. */
  readonly bytes: Uint8Array<ArrayBuffer>;
  /** In host order, once it has been read. */
  readonly words: Int32Array<ArrayBuffer>;
  /** Which slice. */
  slice = -1;
  /** The number of the file that has it, in `ReadSources`. */
  file = 0;
  /** Where it is in the file. */
  host = 0;
  /** The cache's count before it was read. */
  changes = 0;

  /** Makes room for a slice. */
  constructor(sliceSize: number) {
    this.bytes = new Uint8Array(sliceSize);
    this.words = new Int32Array(sliceSize / 4);
  }
}
