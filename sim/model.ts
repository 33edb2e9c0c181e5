import { legalBytes, type Overwrite, WriteHistory } from "./write_history.ts";

const PAGE = 65536;

/** How a {@linkcode DiskModel} is made. */
export interface DiskModelOptions {
  /** Size of the disk in bytes. */
  readonly size: number;
  /** Whether a write behind the end makes it larger; no if left out. */
  readonly growable?: boolean;
  /** Fills in what the disk holds at a position; zeroes if left out. */
  readonly initial?: (position: number, into: Uint8Array) => void;
}

/** A read that is under way. */
export interface ModelRead {
  /** When it began. */
  readonly began: number;
  /** Where it reads. */
  readonly position: number;
  /** Bytes that it asks for. */
  readonly length: number;
  /** The smallest size that the disk had meanwhile. */
  sizeMin: number;
  /** The largest size that the disk had meanwhile. */
  sizeMax: number;
}

/** A disk that was read or written in a way that no disk can be. */
export class ModelMismatch extends Error {
  /** Where the first wrong byte lies, or the read itself. */
  readonly position: number;

  /** Describes what is wrong. */
  constructor(position: number, message: string) {
    super(message);
    this.name = "ModelMismatch";
    this.position = position;
  }
}

/**
 * What a disk must hold after what was done to it, told when each call begins
 * and ends. Where writes overlapped in time, either one's byte is right, and
 * so it is for a read meanwhile.
 */
export class DiskModel {
  readonly #growable: boolean;
  readonly #initial: (position: number, into: Uint8Array) => void;
  readonly #pages: Map<number, Uint8Array> = new Map();
  readonly #history: WriteHistory = new WriteHistory((change) =>
    this.#settle(change)
  );
  readonly #reads: Set<ModelRead> = new Set();
  #size: number;

  /** Makes the model of a disk that nobody uses yet. */
  constructor(options: DiskModelOptions) {
    this.#size = options.size;
    this.#growable = options.growable ?? false;
    this.#initial = options.initial ?? (() => {});
  }

  /** Size of the disk in bytes. */
  get size(): number {
    return this.#size;
  }

  /** A read begins. */
  beginRead(position: number, length: number): ModelRead {
    const sizes = { sizeMin: this.#size, sizeMax: this.#sizeMax() };
    const began = this.#history.begin();
    const read: ModelRead = { began, position, length, ...sizes };
    this.#reads.add(read);
    return read;
  }

  /**
   * A read ends.
   *
   * @param read What {@linkcode DiskModel.beginRead} returned.
   * @param bytes What was read; `null` if it failed.
   * @throws {ModelMismatch} If that cannot be.
   */
  endRead(read: ModelRead, bytes: Uint8Array | null): void {
    this.#reads.delete(read);
    try {
      if (bytes !== null) {
        this.#checkLength(read, bytes.length);
        this.#checkBytes(read, bytes);
      }
    } finally {
      this.#history.end(read.began);
    }
  }

  /** A write begins; `null` stands for zeroes. */
  beginWrite(
    position: number,
    data: Uint8Array | null,
    length: number = data?.length ?? 0,
  ): Overwrite {
    const write = this.#history.beginWrite(position, data, length);
    this.#resized();
    return write;
  }

  /**
   * A write ends.
   *
   * @param write What {@linkcode DiskModel.beginWrite} returned.
   * @param count Bytes written; negative if it failed, which leaves open what
   * of it took place.
   * @throws {ModelMismatch} If that cannot be.
   */
  endWrite(write: Overwrite, count: number): void {
    const asked = write.length;
    const end = write.position + count;
    const isTooLong = !this.#growable && count > 0 && end > this.#size ||
      count > asked;
    if (!isTooLong && count > 0 && end > this.#size) this.#size = end;
    this.#history.endWrite(write, isTooLong ? 0 : count);
    if (isTooLong) {
      throw new ModelMismatch(
        write.position,
        `Cannot have written ${count} bytes at ${write.position}: the disk ends at ${this.#size}`,
      );
    }
    const fits = Math.max(0, Math.min(asked, this.#size - write.position));
    if (count >= 0 && count < fits) {
      throw new ModelMismatch(
        write.position + count,
        `Cannot have written only ${count} of ${fits} bytes at ${write.position}`,
      );
    }
  }

  /** The size has changed, while nothing else was under way behind it. */
  resize(size: number): void {
    const from = Math.min(size, this.#size);
    const length = Math.max(size, this.#size) - from;
    const write = this.#history.beginWrite(from, null, length);
    this.#size = size;
    this.#resized();
    this.#history.endWrite(write, length);
  }

  #sizeMax(): number {
    return this.#growable
      ? Math.max(this.#size, this.#history.activeEnd())
      : this.#size;
  }

  #resized(): void {
    const max = this.#sizeMax();
    for (const read of this.#reads) {
      read.sizeMin = Math.min(read.sizeMin, this.#size);
      read.sizeMax = Math.max(read.sizeMax, max);
    }
  }

  #checkLength(read: ModelRead, got: number): void {
    const { position, length } = read;
    const fits = (size: number) =>
      Math.max(0, Math.min(length, size - position));
    const [min, max] = [fits(read.sizeMin), fits(read.sizeMax)];
    if (got < min || got > max) {
      throw new ModelMismatch(
        position,
        `Cannot have read ${got} bytes at ${position}: expected ${min} to ${max}`,
      );
    }
  }

  #checkBytes({ began, position }: ModelRead, bytes: Uint8Array): void {
    const undecided = this.#history.near(position, bytes.length);
    for (let i = 0; i < bytes.length;) {
      const page = this.#page(Math.floor((position + i) / PAGE));
      const start = (position + i) % PAGE;
      const end = Math.min(PAGE, start + bytes.length - i);
      const rest = bytes.subarray(i, i + end - start);
      if (undecided.length === 0 && areEqual(page, start, rest)) {
        i += rest.length;
        continue;
      }
      for (let p = start; p < end; p++, i++) {
        if (undecided.length === 0 && page[p] === bytes[i]) continue;
        const legal = legalBytes(undecided, position + i, began, page[p]!);
        if (!legal.has(bytes[i]!)) refuse(position + i, bytes[i]!, legal);
      }
    }
  }

  /** Makes a write part of what the disk holds. */
  #settle({ position, data, length }: Overwrite): void {
    for (let i = 0; i < length;) {
      const at = position + i;
      const page = this.#page(Math.floor(at / PAGE));
      const start = at % PAGE;
      const count = Math.min(PAGE - start, length - i);
      if (data === null) page.fill(0, start, start + count);
      else page.set(data.subarray(i, i + count), start);
      i += count;
    }
  }

  #page(index: number): Uint8Array {
    let page = this.#pages.get(index);
    if (page === undefined) {
      page = new Uint8Array(PAGE);
      this.#initial(index * PAGE, page);
      this.#pages.set(index, page);
    }
    return page;
  }
}

function refuse(position: number, byte: number, legal: Set<number>): never {
  const expected = [...legal].join(" or ");
  throw new ModelMismatch(
    position,
    `Cannot have read ${byte} at ${position}: expected ${expected}`,
  );
}

/** Whether `bytes` are those of `page` from `start` on. */
function areEqual(page: Uint8Array, start: number, bytes: Uint8Array): boolean {
  let i = 0;
  if (start % 4 === 0 && bytes.byteOffset % 4 === 0) {
    const count = Math.floor(bytes.length / 4);
    const held = new Int32Array(page.buffer, page.byteOffset + start, count);
    const read = new Int32Array(bytes.buffer, bytes.byteOffset, count);
    for (let w = 0; w < count; w++) if (held[w] !== read[w]) return false;
    i = 4 * count;
  }
  for (; i < bytes.length; i++) if (page[start + i] !== bytes[i]) return false;
  return true;
}
