import { PAGE_SIZE } from "../../src/base/limits.ts";
import { ERRNO } from "../../src/base/errno.ts";
import { dropReference, type OpenFile } from "./file_io.ts";
import { PageCache } from "./page_cache.ts";
import { SimError } from "../kernel/call.ts";

/**
 * A file mapped into memory: the result of mmap(2).
 *
 * @category Files
 */
export class SimMapping {
  readonly #file: OpenFile;
  readonly #shared: boolean;
  readonly #writable: boolean;
  /** A private mapping has its own pages, each read from the file once. */
  readonly #pages: PageCache;
  #failures: number;
  #mapped = true;

  /** Maps a file; call `SimFile.mmap()` instead. */
  constructor(file: OpenFile, shared: boolean, writable: boolean) {
    this.#file = file;
    this.#shared = shared;
    this.#writable = writable || !shared;
    this.#pages = shared ? file.inode.pages : new PageCache();
    this.#failures = this.#pages.failures;
    if (shared) this.#pages.mapped();
    // The mapping keeps the file open after its descriptor is closed.
    file.references++;
  }

  /** Copies out of the memory; missing pages are read from the server. */
  async read(into: Uint8Array, position: number): Promise<void> {
    for (let done = 0; done < into.length;) {
      const at = position + done;
      const page = this.#page(at);
      if (page === undefined) {
        await this.#fault(at);
        continue;
      }
      const from = at % PAGE_SIZE;
      const count = Math.min(PAGE_SIZE - from, into.length - done);
      into.set(page.subarray(from, from + count), done);
      done += count;
    }
  }

  /** Copies into the memory; the server gets the pages later. */
  async write(from: Uint8Array, position: number): Promise<void> {
    if (!this.#writable) {
      throw new SimError("write to mapped memory", ERRNO.EFAULT);
    }
    for (let done = 0; done < from.length;) {
      const at = position + done;
      const page = this.#page(at);
      if (page === undefined) {
        await this.#fault(at);
        continue;
      }
      const start = at % PAGE_SIZE;
      const count = Math.min(PAGE_SIZE - start, from.length - done);
      page.set(from.subarray(done, done + count), start);
      if (this.#shared) this.#pages.touch(Math.floor(at / PAGE_SIZE));
      done += count;
    }
  }

  /** msync(2): writes dirty pages back. */
  async msync(): Promise<void> {
    if (!this.#shared) return;
    await this.#pages.writeBack(this.#file);
    //= mm/filemap.c file_check_and_advance_wb_err(): a failed write-back is
    //= reported once to every mapping.
    const { failures } = this.#pages;
    const isNew = failures > this.#failures;
    this.#failures = failures;
    if (isNew) throw new SimError("write mapped memory back", ERRNO.EIO);
  }

  /** munmap(2): writes dirty pages back and unmaps. */
  async munmap(): Promise<void> {
    if (!this.#mapped) return;
    this.#mapped = false;
    try {
      await this.msync();
    } finally {
      if (this.#shared) this.#pages.unmapped();
      dropReference(this.#file);
    }
  }

  /** A page; nothing may be awaited until it has been used. */
  #page(at: number): Uint8Array | undefined {
    //= mm/filemap.c filemap_fault(): SIGBUS beyond the end of the file.
    if (at >= this.#file.inode.stat.size) {
      throw new SimError("access mapped memory", ERRNO.EFAULT);
    }
    return this.#pages.get(Math.floor(at / PAGE_SIZE));
  }

  #fault(at: number): Promise<void> {
    return this.#pages.load(this.#file, Math.floor(at / PAGE_SIZE));
  }
}
