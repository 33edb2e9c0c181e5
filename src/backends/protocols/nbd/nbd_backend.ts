import { ERRNO } from "../../../base/errno.ts";
import type {
  Answer,
  Backend,
  Extent,
  ImageStat,
  ZeroOptions,
} from "../../backend.ts";
import { ImageBackend } from "../../image_backend.ts";
import { COMMAND, COMMAND_FLAG, EXPORT_FLAG } from "./constants.ts";
import type { NbdExport } from "./handshake.ts";
import type { NbdLink } from "./link.ts";

/** The largest request without data: a whole number of any block. */
const ZERO_MAX = 1 << 30;
/** How far BLOCK_STATUS looks at once. */
const STATUS_MAX = 1 << 30;

/** What is known of an export that is open. */
export interface NbdImage {
  /** The URI. */
  readonly name: string;
  readonly exported: NbdExport;
  /** The names of all exports; `null` if not asked for, or not told. */
  readonly names: readonly string[] | null;
  readonly writable: boolean;
}

/** An export of an NBD server, used by one thread. */
export class NbdBackend extends ImageBackend implements Backend {
  override readonly shared: boolean;
  override readonly writable: boolean;
  readonly size: number;
  /** What the server says of the export. */
  readonly exported: NbdExport;
  /** The names of all its exports; `null` if not asked for, or not told. */
  readonly names: readonly string[] | null;
  readonly #link: NbdLink;
  readonly #block: number;

  /** Uses a link, which `close()` closes. */
  constructor(
    { name, exported, names, writable }: NbdImage,
    link: NbdLink,
  ) {
    super(name);
    this.names = names;
    this.shared = has(exported, "CAN_MULTI_CONN");
    this.writable = writable;
    this.size = exported.size;
    this.exported = exported;
    this.#link = link;
    this.#block = exported.minBlock;
  }

  override stat(): ImageStat {
    const { size } = this;
    const blockSize = Math.max(4096, this.exported.preferredBlock);
    return { size, allocated: null, blockSize, times: null };
  }

  read(
    position: number,
    buffer: Uint8Array,
    start: number,
    length: number,
  ): Answer {
    if (!this.#isAligned(position, length)) {
      return this.#readAround(position, buffer, start, length);
    }
    if (length === 0) return 0;
    // The export reads on after fewer bytes.
    const part = Math.min(length, this.exported.maxPayload);
    return this.#link.perform(COMMAND.READ, position, part, buffer, start, 0);
  }

  override write(
    position: number,
    buffer: Uint8Array,
    start: number,
    length: number,
  ): Answer {
    if (!this.writable) return -ERRNO.EROFS;
    if (length === 0) return 0;
    const isWhole = length <= this.exported.maxPayload;
    return isWhole && this.#isAligned(position, length)
      ? this.#link.perform(COMMAND.WRITE, position, length, buffer, start, 0)
      : this.#writeParts(position, buffer, start, length);
  }

  /** What is not aligned is read, changed and written. */
  needsExclusiveWrite(position: number, length: number): boolean {
    return !this.#isAligned(position, length);
  }

  override flush(): Answer {
    return has(this.exported, "SEND_FLUSH")
      ? this.#link.perform(COMMAND.FLUSH, 0, 0, null, 0, 0)
      : 0;
  }

  override async zero(
    position: number,
    length: number,
    { unmap }: ZeroOptions,
  ): Promise<number> {
    if (!this.writable) return -ERRNO.EROFS;
    if (!has(this.exported, "SEND_WRITE_ZEROES")) {
      // A discard must not write zeroes.
      return unmap
        ? -ERRNO.EOPNOTSUPP
        : await this.#writeZeroes(position, length);
    }
    const block = this.#block;
    const first = Math.ceil(position / block) * block;
    const last = Math.floor((position + length) / block) * block;
    if (first >= last) return await this.#writeZeroes(position, length);
    const head = await this.#writeZeroes(position, first - position);
    if (head < 0) return head;
    const flags = unmap ? 0 : COMMAND_FLAG.NO_HOLE;
    for (let at = first; at < last;) {
      const part = Math.min(ZERO_MAX, last - at);
      const { WRITE_ZEROES } = COMMAND;
      const error = await this.#link.perform(
        WRITE_ZEROES,
        at,
        part,
        null,
        0,
        flags,
      );
      if (error < 0) return error;
      at += part;
    }
    return await this.#writeZeroes(last, position + length - last);
  }

  override truncate(size: number): Answer {
    return size === this.size ? 0 : -ERRNO.EOPNOTSUPP;
  }

  override extent(position: number): Answer<Extent> {
    if (this.exported.allocationId === null) {
      return { data: true, end: Infinity };
    }
    const block = this.#block;
    const from = Math.floor(position / block) * block;
    const rest = Math.floor((this.size - from) / block) * block;
    if (rest === 0) return { data: true, end: Infinity };
    return this.#extentAround(position, from, Math.min(STATUS_MAX, rest));
  }

  /** The extent at a position, asked for from the start of its block. */
  async #extentAround(
    position: number,
    from: number,
    length: number,
  ): Promise<Extent> {
    const extent = await this.#link.extentAt(from, length);
    // A server that describes less than a block says nothing of the rest.
    return extent.end > position
      ? extent
      : { data: true, end: from + this.#block };
  }

  override close(): void {
    this.#link.close();
  }

  #isAligned(position: number, length: number): boolean {
    const block = this.#block;
    return position % block === 0 && length % block === 0;
  }

  /** Reads whole blocks around a range. */
  async #readAround(
    position: number,
    buffer: Uint8Array,
    start: number,
    length: number,
  ): Promise<number> {
    const { from, bytes } = this.#blocksAround(position, length);
    const got = await this.#readFully(from, bytes);
    if (got < 0) return got;
    const at = position - from;
    const part = bytes.subarray(at, at + length);
    buffer.set(part, start);
    return part.length;
  }

  /** Writes by parts that the server takes; what is not aligned block by block. */
  async #writeParts(
    position: number,
    buffer: Uint8Array,
    start: number,
    length: number,
  ): Promise<number> {
    const { maxPayload } = this.exported;
    for (let done = 0; done < length;) {
      const at = position + done;
      const rest = length - done;
      const put = this.#isAligned(at, this.#block) && rest >= this.#block
        ? await this.#link.perform(
          COMMAND.WRITE,
          at,
          Math.min(maxPayload, Math.floor(rest / this.#block) * this.#block),
          buffer,
          start + done,
          0,
        )
        : await this.#writeWithin(at, buffer, start + done, rest);
      if (put < 0) return done > 0 ? done : put;
      done += put;
    }
    return length;
  }

  /** Changes a part of one block: at most up to its end. */
  async #writeWithin(
    position: number,
    buffer: Uint8Array,
    start: number,
    length: number,
  ): Promise<number> {
    const block = this.#block;
    const from = Math.floor(position / block) * block;
    const count = Math.min(length, from + block - position);
    const bytes = new Uint8Array(block);
    const got = await this.#readFully(from, bytes);
    if (got < 0) return got;
    bytes.set(buffer.subarray(start, start + count), position - from);
    const { WRITE } = COMMAND;
    const put = await this.#link.perform(WRITE, from, block, bytes, 0, 0);
    return put < 0 ? put : count;
  }

  async #writeZeroes(position: number, length: number): Promise<number> {
    const zeroes = new Uint8Array(Math.min(length, 1 << 20));
    for (let done = 0; done < length;) {
      const part = Math.min(zeroes.length, length - done);
      const put = await this.#writeParts(position + done, zeroes, 0, part);
      if (put < 0) return put;
      done += put;
    }
    return 0;
  }

  #blocksAround(position: number, length: number) {
    const block = this.#block;
    const from = Math.floor(position / block) * block;
    const most = Math.floor(this.size / block) * block;
    const to = Math.min(most, Math.ceil((position + length) / block) * block);
    return { from, bytes: new Uint8Array(Math.max(0, to - from)) };
  }

  async #readFully(from: number, bytes: Uint8Array): Promise<number> {
    for (let done = 0; done < bytes.length;) {
      const { maxPayload } = this.exported;
      const part = Math.min(maxPayload, bytes.length - done);
      const { READ } = COMMAND;
      const got = await this.#link.perform(
        READ,
        from + done,
        part,
        bytes,
        done,
        0,
      );
      if (got <= 0) return got < 0 ? got : -ERRNO.EIO;
      done += got;
    }
    return bytes.length;
  }
}

/** Whether an export has a flag. */
export function has(
  { flags }: NbdExport,
  name: keyof typeof EXPORT_FLAG,
): boolean {
  return (flags & EXPORT_FLAG[name]) !== 0;
}
