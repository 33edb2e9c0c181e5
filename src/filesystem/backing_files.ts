/**
 * Files of this machine that the kernel reads and writes by itself.
 *
 * @module
 */

/** Tells the kernel of such files: FUSE_DEV_IOC_BACKING_OPEN. */
export interface BackingFiles {
  /**
   * Registers a plain file.
   *
   * @param fd A descriptor of it, which may be closed afterwards.
   * @returns Its `backing_id`, `null` if the kernel does not take it.
   */
  open(fd: number): number | null;
  /** Ends the registration; open files keep the file open. */
  close(id: number): void;
}

/** A node with open files. */
interface Opened {
  /** `null` if requests carry its data. */
  readonly id: number | null;
  opens: number;
}

/**
 * The backing files of open nodes. All open files of a node have to use the same
 * one, or none: fuse_file_io_open() of fs/fuse/iomode.c.
 */
export class BackingTable<N extends object> {
  readonly #files: BackingFiles;
  readonly #opened = new Map<N, Opened>();
  /** Which open files are counted: those of direct I/O are not. */
  readonly #counted = new Set<number>();

  /** Makes a table without open nodes. */
  constructor(files: BackingFiles) {
    this.#files = files;
  }

  /**
   * Counts an open file of a node.
   *
   * @param fh The number of the open file.
   * @param fd A descriptor of its backing file; `null` if it has none.
   * @returns The `backing_id` for the reply to OPEN, or `null`.
   */
  open(node: N, fh: number, fd: number | null): number | null {
    this.#counted.add(fh);
    let opened = this.#opened.get(node);
    if (opened === undefined) {
      const id = fd === null ? null : this.#files.open(fd);
      opened = { id, opens: 0 };
      this.#opened.set(node, opened);
    }
    opened.opens++;
    return opened.id;
  }

  /** Counts that an open file of a node was released, if it was counted. */
  release(node: N, fh: number): void {
    if (!this.#counted.delete(fh)) return;
    const opened = this.#opened.get(node);
    if (opened === undefined || --opened.opens > 0) return;
    this.#opened.delete(node);
    if (opened.id !== null) this.#files.close(opened.id);
  }
}
