import { PAGE_SIZE } from "../../src/base/limits.ts";
import { accessors } from "../../src/protocol/accessors.ts";
import { encodeStruct, viewOf } from "../../src/protocol/codec.ts";
import { FUSE_WRITE } from "../../src/protocol/flags.ts";
import type { Caller, Credentials } from "../kernel/call.ts";
import type { Signals } from "../kernel/call.ts";
import { SimError } from "../kernel/call.ts";

const WRITE_OUT = accessors("fuse_write_out");
const WRITE_BACK = "write mapped memory back";

/** What the cache needs to know of an open file. */
export interface CachedFile {
  /** Whoever takes its requests. */
  readonly caller: Caller;
  /** Who reads. */
  readonly credentials: Credentials;
  /** What whoever reads may be told while it waits. */
  readonly signals?: Signals | undefined;
  /** The server's handle. */
  readonly fh: bigint;
  /** Flags of open(2) that last. */
  readonly flags: number;
  /** The file as the kernel knows it. */
  readonly inode: {
    readonly stat: { readonly size: number };
    invalidate(mask?: number): void;
  };
}

interface Page {
  readonly bytes: Uint8Array;
  dirty: boolean;
}

/** The pages of a file that are mapped: `inode->i_mapping`. */
export class PageCache {
  readonly #pages: Map<number, Page> = new Map();
  /** How often pages could not be written: `mapping->wb_err`. */
  failures = 0;
  /** Hears of each page that could not be written, and what was sent of it. */
  onFailure: (error: SimError, position: number, bytes: Uint8Array) => void =
    () => {};
  #writing: Promise<void> | null = null;
  #mappings = 0;
  #dirty = 0;

  /** Whether a shared mapping is there, which takes writers' sharing away. */
  get isMapped(): boolean {
    //= fs/fuse/iomode.c fuse_inode_get_io_cache(): the inode is in caching
    //= mode while it is mapped shared.
    return this.#mappings > 0;
  }

  /** A shared mapping comes. */
  mapped(): void {
    this.#mappings++;
  }

  /** A shared mapping goes. */
  unmapped(): void {
    if (--this.#mappings === 0) this.#pages.clear();
  }

  /** One page, read if it is not there. */
  async page(file: CachedFile, index: number): Promise<Uint8Array> {
    const held = this.#pages.get(index);
    if (held !== undefined) return held.bytes;
    //= fs/fuse/file.c fuse_do_readfolio(): one page, without a lock's owner.
    const bytes = new Uint8Array(PAGE_SIZE);
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
    if (!this.#pages.has(index)) {
      this.#pages.set(index, { bytes, dirty: false });
    }
    return this.#pages.get(index)!.bytes;
  }

  /** A page, if it is there. */
  get(index: number): Uint8Array | undefined {
    return this.#pages.get(index)?.bytes;
  }

  /** Puts a page there, as the server has it. */
  put(index: number, bytes: Uint8Array): void {
    this.#pages.set(index, { bytes, dirty: false });
  }

  /** Drops all pages that the server has as well. */
  clear(): void {
    for (const [index, { dirty }] of this.#pages) {
      if (!dirty) this.#pages.delete(index);
    }
  }

  /** Notes that a page was written to. */
  touch(index: number): void {
    const page = this.#pages.get(index);
    if (page === undefined || page.dirty) return;
    page.dirty = true;
    this.#dirty++;
  }

  /** Sends what was written, each page by itself, up to the file's end. */
  writeBack(file: CachedFile): Promise<void> | undefined {
    if (this.#dirty === 0 && this.#writing === null) return undefined;
    //= mm/page-writeback.c folio_wait_writeback(): a page that is being
    //= written is waited for, before it is written again and by whoever wants
    //= it written.
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

  /** Drops pages that were written past the cache. */
  drop(position: number, length: number): void {
    if (this.#pages.size === 0) return;
    for (const [index, { dirty }] of this.#pages) {
      const start = index * PAGE_SIZE;
      const isNear = start < position + length &&
        position < start + PAGE_SIZE;
      if (isNear && !dirty) this.#pages.delete(index);
    }
  }

  async #writeBack(file: CachedFile): Promise<void> {
    let failed = 0;
    for (const [index, page] of [...this.#pages]) {
      if (!page.dirty) continue;
      page.dirty = false;
      this.#dirty--;
      const start = index * PAGE_SIZE;
      const length = Math.min(PAGE_SIZE, file.inode.stat.size - start);
      if (length <= 0) continue;
      const bytes = page.bytes.slice(0, length);
      //= fs/fuse/file.c fuse_writepage_args_fill(): a background request that
      //= says that it comes from the cache.
      const { errno, body } = await file.caller.call({
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
      failed ||= errno;
      if (errno !== 0) {
        this.onFailure(new SimError(WRITE_BACK, errno), start, bytes);
      }
      if (errno === 0 && WRITE_OUT.get.size(viewOf(body)) < length) {
        failed ||= 5;
      }
    }
    file.inode.invalidate();
    if (failed !== 0) this.failures++;
    if (failed !== 0) throw new SimError(WRITE_BACK, failed);
  }
}
