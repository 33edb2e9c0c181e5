import { PAGE_SIZE } from "../../src/base/limits.ts";
import { encodeStruct } from "../../src/protocol/codec.ts";
import { FUSE_WRITE } from "../../src/protocol/flags.ts";
import type { Caller, Credentials } from "../kernel/call.ts";
import type { Signals } from "../kernel/call.ts";
import { SimError } from "../kernel/call.ts";
import { PageReads } from "./page_reads.ts";

const WRITE_BACK = "write mapped memory back";

/**
 * An open file, as the page cache needs it.
 *
 * @category Files
 */
export interface CachedFile {
  /** Sends its requests. */
  readonly caller: Caller;
  /** The ids of the process. */
  readonly credentials: Credentials;
  /** The signals of the process. */
  readonly signals?: Signals | undefined;
  /** The server's file handle. */
  readonly fh: bigint;
  /** Flags of open(2) that apply after opening. */
  readonly flags: number;
  /** The file's inode. */
  readonly inode: {
    readonly stat: { readonly size: number };
    invalidate(mask?: number): void;
  };
}

interface Page {
  readonly bytes: Uint8Array;
  dirty: boolean;
  /** Whether it is being written back. */
  isWriting: boolean;
  /** Whether to drop it once it is written back. */
  isDropped: boolean;
}

/**
 * The cached pages of a file: `inode->i_mapping`.
 *
 * @category Files
 */
export class PageCache {
  readonly #pages: Map<number, Page> = new Map();
  /** READs of pages that are missing. */
  readonly reads: PageReads = new PageReads();
  /** The number of failed write-backs: `mapping->wb_err`. */
  failures = 0;
  /**
   * Called for each page whose write-back failed, with the bytes that were
   * sent.
   */
  onFailure: (error: SimError, position: number, bytes: Uint8Array) => void =
    () => {};
  #writing: Promise<void> | null = null;
  #mappings = 0;
  #dirty = 0;

  /** Whether a shared mapping exists, so that writers exclude each other. */
  get isMapped(): boolean {
    //= fs/fuse/iomode.c fuse_inode_get_io_cache(): the inode is in caching mode
    //= while it is mapped shared.
    return this.#mappings > 0;
  }

  /** Adds a shared mapping. */
  mapped(): void {
    this.#mappings++;
  }

  /** Removes a shared mapping; the last one drops the clean pages. */
  unmapped(): void {
    if (--this.#mappings === 0) this.#pages.clear();
  }

  /** Reads a missing page from the server; it may be dropped again at once. */
  async load(file: CachedFile, index: number): Promise<void> {
    //= mm/filemap.c filemap_fault(): a page that is being read is locked.
    const other = this.reads.at(index);
    if (other === undefined) await this.#read(file, index);
    else await other.ended.promise;
  }

  async #read(file: CachedFile, index: number): Promise<void> {
    //= fs/fuse/file.c fuse_do_readfolio(): one page, without a lock owner.
    const bytes = new Uint8Array(PAGE_SIZE);
    const read = this.reads.begin(index, 1);
    try {
      const { errno } = await file.caller.call({
        opcode: "READ",
        body: encodeStruct("fuse_read_in", {
          fh: file.fh,
          offset: BigInt(index * PAGE_SIZE),
          size: PAGE_SIZE,
          flags: file.flags,
        }),
        replyMax: PAGE_SIZE,
        into: bytes,
        credentials: file.credentials,
        signals: file.signals,
      });
      if (errno !== 0) throw new SimError("access mapped memory", errno);
      if (!read.isStale) this.put(index, bytes);
    } finally {
      this.reads.end(read);
    }
  }

  /** A page, if it is cached. */
  get(index: number): Uint8Array | undefined {
    return this.#pages.get(index)?.bytes;
  }

  /** Caches a clean page. */
  put(index: number, bytes: Uint8Array): void {
    const state = { dirty: false, isWriting: false, isDropped: false };
    this.#pages.set(index, { bytes, ...state });
  }

  /** Drops all clean pages. */
  clear(): void {
    this.reads.drop(0, Infinity);
    for (const [index, page] of this.#pages) this.#drop(index, page);
  }

  /** Marks a page as dirty. */
  touch(index: number): void {
    const page = this.#pages.get(index);
    if (page === undefined || page.dirty) return;
    page.dirty = true;
    this.#dirty++;
  }

  /** Writes dirty pages back, one WRITE each, up to the end of the file. */
  writeBack(file: CachedFile): Promise<void> | undefined {
    if (this.#dirty === 0 && this.#writing === null) return undefined;
    //= mm/page-writeback.c folio_wait_writeback(): write-backs of a page run
    //= one after another, and callers wait for those under way.
    const before = this.#writing ?? Promise.resolve();
    const writing = before.then(
      () => this.#writeBack(file),
      async (error) => {
        await this.#writeBack(file);
        throw error;
      },
    );
    this.#writing = writing;
    const done = () => {
      if (this.#writing === writing) this.#writing = null;
    };
    writing.then(done, done);
    return writing;
  }

  /** Drops the clean pages of a range that was written by direct I/O. */
  drop(position: number, length: number): void {
    const first = Math.floor(position / PAGE_SIZE);
    this.reads.drop(first, Math.ceil((position + length) / PAGE_SIZE));
    for (const [index, page] of this.#pages) {
      const start = index * PAGE_SIZE;
      const isNear = start < position + length &&
        position < start + PAGE_SIZE;
      if (isNear) this.#drop(index, page);
    }
  }

  #drop(index: number, page: Page): void {
    if (page.dirty) return;
    //= mm/truncate.c invalidate_inode_pages2_range(): it waits for a page that
    //= is being written back.
    if (page.isWriting) page.isDropped = true;
    else if (this.#pages.get(index) === page) this.#pages.delete(index);
  }

  async #writeBack(file: CachedFile): Promise<void> {
    let failed = 0;
    for (const [index, page] of [...this.#pages]) {
      if (!page.dirty) continue;
      page.dirty = false;
      this.#dirty--;
      page.isWriting = true;
      const errno = await this.#writePage(file, index, page.bytes);
      failed ||= errno;
      page.isWriting = false;
      if (page.isDropped) this.#drop(index, page);
    }
    file.inode.invalidate();
    if (failed !== 0) this.failures++;
    if (failed !== 0) throw new SimError(WRITE_BACK, failed);
  }

  async #writePage(
    file: CachedFile,
    index: number,
    page: Uint8Array,
  ): Promise<number> {
    const start = index * PAGE_SIZE;
    const length = Math.min(PAGE_SIZE, file.inode.stat.size - start);
    if (length <= 0) return 0;
    const bytes = page.slice(0, length);
    //= fs/fuse/file.c fuse_writepage_args_fill(): a background request with
    //= FUSE_WRITE_CACHE.
    //= fs/fuse/file.c fuse_writepage_end(): the count of bytes is ignored.
    const { errno } = await file.caller.call({
      opcode: "WRITE",
      body: encodeStruct("fuse_write_in", {
        fh: file.fh,
        offset: BigInt(start),
        size: length,
        write_flags: FUSE_WRITE.CACHE,
      }),
      tail: bytes,
      background: true,
    });
    if (errno !== 0) {
      this.onFailure(new SimError(WRITE_BACK, errno), start, bytes);
    }
    return errno;
  }
}
