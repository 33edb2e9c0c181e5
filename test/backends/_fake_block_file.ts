import type { NewTime } from "../../src/base/timespec.ts";
import type {
  BlockFile,
  BlockFileStat,
} from "../../src/backends/block_file.ts";
import { ERRNO } from "../../src/base/errno.ts";
import { FALLOC_FL, SEEK } from "../../src/base/file_flags.ts";
import type { Random } from "../_random.ts";

const PAGE = 4096;

/** A call of {@linkcode BlockFile} that can be made to fail. */
export type Call = Exclude<keyof BlockFile, "fd" | "close">;

/** How a fake file misbehaves. */
export interface Faults {
  /** Cuts transfers short at random. */
  readonly random?: Random;
  /** Errors that calls return after `after` successful calls. */
  readonly errors?: Partial<Record<Call, { errno: number; after?: number }>>;
  /** What fallocate(2) supports; all if left out. */
  readonly fallocate?: "all" | "no zero range" | "nothing" | "sectors";
  /** Whether lseek(2) finds holes; yes if left out. */
  readonly seeks?: boolean;
  /** Tells it from other files; unknown if left out. */
  readonly identity?: string;
  /** Pages that the medium has; no limit if left out. */
  readonly pages?: number;
}

/** A sparse file in memory that behaves as the kernel may. */
export class FakeBlockFile implements BlockFile {
  /** The time that it sets for "now". */
  static readonly NOW = 1_600_000_000_000_000_007n;
  readonly fd = -1;
  size: number;
  atime = 1n;
  mtime = 2n;
  closed = false;
  readonly calls: string[] = [];
  /** What it began with. */
  readonly #base: Uint8Array;
  /** The pages that differ from that; `null` for holes. */
  readonly #pages = new Map<number, Uint8Array | null>();
  /** Pages that are no holes. */
  #pageCount: number;
  readonly #faults: Faults;
  readonly #identity: Pick<Faults, "identity">;
  readonly #made = new Map<Call, number>();

  /**
   * Makes a file.
   *
   * @param size Its size in bytes.
   * @param faults How it misbehaves.
   * @param base Its first bytes, which nothing may change while it is used; the
   * rest is a hole.
   */
  constructor(
    size: number,
    faults: Faults = {},
    base: Uint8Array = new Uint8Array(0),
  ) {
    this.size = size;
    this.#base = base;
    this.#pageCount = Math.ceil(base.length / PAGE);
    this.#faults = faults;
    const { identity } = faults;
    this.#identity = identity === undefined ? {} : { identity };
  }

  pread(
    buffer: Uint8Array,
    start: number,
    length: number,
    position: number,
  ): number {
    assertInside(buffer, start, length, position);
    const error = this.#error("pread");
    if (error !== 0) return error;
    const rest = Math.max(0, this.size - position);
    const count = this.#short(Math.min(length, rest));
    if (this.#pages.size === 0 && position + count <= this.#base.length) {
      buffer.set(this.#base.subarray(position, position + count), start);
      return count;
    }
    for (let done = 0; done < count;) {
      const at = position + done;
      const part = Math.min(count - done, PAGE - at % PAGE);
      const page = this.#pageAt(Math.floor(at / PAGE));
      const into = buffer.subarray(start + done, start + done + part);
      const there = page?.subarray(at % PAGE, at % PAGE + part);
      if (there !== undefined) into.set(there);
      into.fill(0, there?.length ?? 0);
      done += part;
    }
    return count;
  }

  pwrite(
    buffer: Uint8Array,
    start: number,
    length: number,
    position: number,
  ): number {
    assertInside(buffer, start, length, position);
    const error = this.#error("pwrite");
    if (error !== 0) return error;
    const count = this.#short(length);
    let done = 0;
    while (done < count) {
      const at = position + done;
      const page = this.#page(Math.floor(at / PAGE));
      if (page === null) break;
      const part = Math.min(count - done, PAGE - at % PAGE);
      const from = buffer.subarray(start + done, start + done + part);
      page.set(from, at % PAGE);
      done += part;
    }
    if (done === 0 && count > 0) return -ERRNO.ENOSPC;
    this.size = Math.max(this.size, position + done);
    return done;
  }

  fdatasync(): number {
    return this.#error("fdatasync");
  }

  ftruncate(size: number): number {
    const error = this.#error("ftruncate");
    if (error !== 0) return error;
    if (size < this.size) this.#zero(size, this.size - size);
    this.size = size;
    return 0;
  }

  fallocate(mode: number, position: number, length: number): number {
    const error = this.#error("fallocate");
    if (error !== 0) return error;
    this.calls.push(`fallocate ${mode} ${position} ${length}`);
    const { fallocate = "all" } = this.#faults;
    if (length <= 0) return -ERRNO.EINVAL;
    if ((mode & FALLOC_FL.KEEP_SIZE) === 0) {
      throw new Error(`A backend keeps the size, but mode is ${mode}`);
    }
    if (fallocate === "nothing") return -ERRNO.EOPNOTSUPP;
    const isZeroRange = (mode & FALLOC_FL.ZERO_RANGE) !== 0;
    if (fallocate === "no zero range" && isZeroRange) return -ERRNO.EOPNOTSUPP;
    if (fallocate === "sectors" && (position % 512 || length % 512)) {
      return -ERRNO.EINVAL;
    }
    if (mode !== FALLOC_FL.KEEP_SIZE) this.#zero(position, length);
    return 0;
  }

  lseek(position: number, whence: number): number {
    const error = this.#error("lseek");
    if (error !== 0) return error;
    if (this.#faults.seeks === false) return -ERRNO.EINVAL;
    if (position >= this.size) return -ERRNO.ENXIO;
    const wanted = whence === SEEK.DATA;
    const inPage = Math.floor(position / PAGE);
    if ((this.#pageAt(inPage) !== null) === wanted) return position;
    const page = wanted ? this.#dataAfter(inPage) : this.#gapAfter(inPage);
    const next = page * PAGE;
    if (next < this.size) return next;
    return wanted ? -ERRNO.ENXIO : this.size;
  }

  fstat(): BlockFileStat | number {
    const error = this.#error("fstat");
    if (error !== 0) return error;
    return {
      kind: "file",
      size: this.size,
      allocated: this.#pageCount * PAGE,
      blockSize: PAGE,
      ...this.#identity,
      atime: this.atime,
      mtime: this.mtime,
      ctime: 3n,
    };
  }

  futimens(atime: NewTime, mtime: NewTime): number {
    const error = this.#error("futimens");
    if (error !== 0) return error;
    const set = (time: NewTime, old: bigint) =>
      time === "now" ? FakeBlockFile.NOW : time ?? old;
    this.atime = set(atime, this.atime);
    this.mtime = set(mtime, this.mtime);
    return 0;
  }

  close(): void {
    this.closed = true;
  }

  #error(call: Call): number {
    const made = this.#made.get(call) ?? 0;
    this.#made.set(call, made + 1);
    const fault = this.#faults.errors?.[call];
    return fault && made >= (fault.after ?? 0) ? -fault.errno : 0;
  }

  #short(length: number): number {
    const { random } = this.#faults;
    return random === undefined || length === 0
      ? length
      : 1 + random.below(length);
  }

  /** The bytes of a page, of which the last ones may be missing; `null` if a hole. */
  #pageAt(index: number): Uint8Array | null {
    const page = this.#pages.get(index);
    if (page !== undefined) return page;
    const at = index * PAGE;
    return at < this.#base.length ? this.#base.subarray(at, at + PAGE) : null;
  }

  /** A page that can be written to; `null` if the medium is full. */
  #page(index: number): Uint8Array | null {
    const page = this.#pages.get(index) ?? null;
    if (page !== null) return page;
    const before = this.#pageAt(index);
    if (before === null) {
      if (this.#pageCount >= (this.#faults.pages ?? Infinity)) return null;
      this.#pageCount++;
    }
    const copy = new Uint8Array(PAGE);
    if (before !== null) copy.set(before);
    this.#pages.set(index, copy);
    return copy;
  }

  #dataAfter(page: number): number {
    const inBase = Math.ceil(this.#base.length / PAGE);
    for (let i = page + 1; i < inBase; i++) {
      if (this.#pageAt(i) !== null) return i;
    }
    let next = Infinity;
    for (const [index, bytes] of this.#pages) {
      if (bytes !== null && index > page) next = Math.min(next, index);
    }
    return next;
  }

  #gapAfter(page: number): number {
    while (this.#pageAt(page) !== null) page++;
    return page;
  }

  #zero(position: number, length: number): void {
    const end = position + length;
    const inBase = Math.ceil(Math.min(end, this.#base.length) / PAGE);
    for (let i = Math.floor(position / PAGE); i < inBase; i++) {
      this.#zeroPage(i, position, end);
    }
    for (const [index, bytes] of this.#pages) {
      if (index >= inBase && bytes !== null) {
        this.#zeroPage(index, position, end);
      }
    }
  }

  /** Zeroes what a page has of a range; all of it becomes a hole. */
  #zeroPage(index: number, position: number, end: number): void {
    const from = Math.max(position, index * PAGE) - index * PAGE;
    const to = Math.min(end, (index + 1) * PAGE) - index * PAGE;
    if (to <= from || this.#pageAt(index) === null) return;
    if (to - from < PAGE) {
      this.#page(index)!.fill(0, from, to);
      return;
    }
    if (index * PAGE < this.#base.length) this.#pages.set(index, null);
    else this.#pages.delete(index);
    this.#pageCount--;
  }
}

/** Requires a range that a file may have, and memory for it. */
function assertInside(
  buffer: Uint8Array,
  start: number,
  length: number,
  position: number,
): void {
  const isInside = position >= 0 && length >= 0 &&
    Number.isSafeInteger(position + length) &&
    start >= 0 && start + length <= buffer.length;
  if (!isInside) {
    throw new RangeError(
      `${length} bytes at ${position}, ${start} of a buffer`,
    );
  }
}
