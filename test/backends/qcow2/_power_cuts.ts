/**
 * Cuts of the power at every single write: the changes of a file are recorded, and
 * then what may be on the medium after each of them, one state after the other.
 *
 * @module
 */
import { Random } from "../../_random.ts";
import { CutDisk } from "./_cut_disk.ts";

const SECTOR = 512;
/** Of how many changes without a flush all subsets are tried, and how many of more. */
const FULL = { all: 8, drawn: 200 };
const SHORT = { all: 5, drawn: 20 };

/** Requires that the file is as it may be after a cut. */
export type Check = (disk: CutDisk) => Promise<void>;

/** A change of a file; the bytes of a punched range are `null`. */
type Change =
  | { readonly kind: "write"; readonly at: number; readonly bytes: Uint8Array }
  | { readonly kind: "punch"; readonly at: number; readonly length: number }
  | { readonly kind: "size"; readonly size: number };

/** What has happened to a file, in order. */
export type Entry =
  | Change
  | { readonly kind: "flush" }
  /** From here on, a cut has to leave what the check wants. */
  | { readonly kind: "expect"; readonly check: Check };

/** A file that records its changes. */
export class RecordedDisk extends CutDisk {
  readonly max: number;
  #first: Uint8Array = new Uint8Array();
  #log: Entry[] = [];

  constructor(bytes: Uint8Array, max: number, random: Random) {
    super(bytes, max, random);
    this.max = max;
    this.record();
  }

  /** Records from now on; everything is durable that is there. */
  record(): void {
    super.fdatasync();
    const bytes = new Uint8Array(this.size);
    this.pread(bytes, 0, bytes.length, 0);
    this.#first = bytes;
    this.#log = [];
  }

  /** What has happened since `record()`. */
  get log(): readonly Entry[] {
    return this.#log;
  }

  /** Sets what cuts have to leave from now on. */
  expect(check: Check): void {
    this.#log.push({ kind: "expect", check });
  }

  override pwrite(
    buffer: Uint8Array,
    start: number,
    length: number,
    position: number,
  ): number {
    const bytes = buffer.slice(start, start + length);
    this.#log.push({ kind: "write", at: position, bytes });
    return super.pwrite(buffer, start, length, position);
  }

  override fdatasync(): number {
    this.#log.push({ kind: "flush" });
    return super.fdatasync();
  }

  override ftruncate(size: number): number {
    this.#log.push({ kind: "size", size });
    return super.ftruncate(size);
  }

  override fallocate(mode: number, position: number, length: number): number {
    const result = super.fallocate(mode, position, length);
    if (result === 0) this.#log.push({ kind: "punch", at: position, length });
    return result;
  }

  /**
   * Cuts the power after each change in a log of this file, and checks what is
   * there.
   *
   * @param isFull Whether to try all subsets of up to 8 changes without a flush,
   * and 200 of more; else fewer.
   * @returns How many states were checked.
   */
  async cutEverywhere(
    log: readonly Entry[],
    random: Random,
    isFull: boolean,
  ): Promise<number> {
    const durable = new Content(this.max, this.#first);
    let check: Check = () => Promise.resolve();
    let unflushed: Change[] = [];
    let states = 0;
    for (const [at, entry] of log.entries()) {
      if (entry.kind === "expect") {
        check = entry.check;
        await this.#look(durable, check, `nothing new before step ${at}`);
        states++;
      } else if (entry.kind === "flush") {
        for (const change of unflushed) durable.apply(change);
        unflushed = [];
      } else {
        unflushed.push(entry);
        const parts = partsOf(unflushed, durable, random, isFull);
        for (const [content, what] of parts) {
          await this.#look(content, check, `${what} at step ${at}`);
          states++;
        }
      }
    }
    return states;
  }

  async #look(content: Content, check: Check, what: string): Promise<void> {
    try {
      await check(new CutDisk(content.bytes, this.max, new Random(1)));
    } catch (error) {
      throw new Error(`After a cut, ${what}: ${error}`, { cause: error });
    }
  }
}

/**
 * What may be on the medium after the last of some changes: that one and a subset
 * of the others, whole or torn. Without it, it was there before.
 */
function* partsOf(
  changes: readonly Change[],
  durable: Content,
  random: Random,
  isFull: boolean,
): Generator<[Content, string]> {
  for (const mask of subsets(changes.length - 1, random, isFull)) {
    const kept = changes.filter((_, i) => mask[i] !== false);
    const what = `${kept.length} of ${changes.length} changes`;
    const whole = durable.copy();
    for (const change of kept) whole.apply(change);
    yield [whole, what];
    if (!kept.some(hasSectors)) continue;
    const torn = durable.copy();
    for (const change of kept) torn.apply(change, random);
    yield [torn, `parts of ${what}`];
  }
}

/** The content of a file. */
class Content {
  readonly #max: number;
  #bytes: Uint8Array<ArrayBuffer>;
  #size: number;

  constructor(max: number, bytes: Uint8Array) {
    this.#max = max;
    this.#bytes = new Uint8Array(max);
    this.#bytes.set(bytes);
    this.#size = bytes.length;
  }

  get bytes(): Uint8Array<ArrayBuffer> {
    return this.#bytes.slice(0, this.#size);
  }

  copy(): Content {
    return new Content(this.#max, this.bytes);
  }

  /** Makes a change, or the sectors of it that are drawn. */
  apply(change: Change, random: Random | null = null): void {
    if (change.kind === "size") {
      this.#bytes.fill(0, Math.min(change.size, this.#size));
      this.#size = change.size;
      return;
    }
    const { at } = change;
    const length = change.kind === "write"
      ? change.bytes.length
      : Math.max(0, Math.min(change.length, this.#size - at));
    for (let done = 0; done < length;) {
      // Up to the next sector of the file.
      const end = Math.min(length, done + SECTOR - (at + done) % SECTOR);
      if (random === null || random.oneIn(2)) {
        if (change.kind === "punch") this.#bytes.fill(0, at + done, at + end);
        else this.#bytes.set(change.bytes.subarray(done, end), at + done);
        if (change.kind === "write") {
          this.#size = Math.max(this.#size, at + end);
        }
      }
      done = end;
    }
  }
}

function hasSectors(change: Change): boolean {
  if (change.kind === "size") return false;
  const { length } = change.kind === "write" ? change.bytes : change;
  return change.at % SECTOR + length > SECTOR;
}

/** Subsets of a number of changes: all of few, else some. */
function* subsets(
  count: number,
  random: Random,
  isFull: boolean,
): Generator<boolean[]> {
  const { all, drawn } = isFull ? FULL : SHORT;
  if (count < all) {
    for (let mask = 0; mask < 2 ** count; mask++) {
      yield Array.from({ length: count }, (_, i) => (mask >> i & 1) === 1);
    }
    return;
  }
  for (let i = 0; i < drawn; i++) {
    yield Array.from({ length: count }, () => random.oneIn(2));
  }
}
