/**
 * Random histories for the disk model and its reference, which have to agree
 * about every read.
 *
 * @module
 */
import { DiskModel } from "../../sim/oracle/disk_model.ts";
import {
  ModelMismatch,
  type ModelRead,
  type ModelResize,
  type ModelWrite,
} from "../../sim/oracle/model_calls.ts";
import { Random } from "../../sim/determinism/random.ts";
import {
  ReferenceDisk,
  type ReferenceOutcome,
  type ReferenceRead,
  type ReferenceWrite,
  ZERO,
} from "./_reference_disk.ts";
import { RealDisk, type RealWrite } from "./_real_disk.ts";

/** The number of units of a disk, and the sizes of a unit in bytes. */
const PLACES = 24;
const UNITS: readonly number[] = [1, 7, 512, 4096, 5000];
/** A size with which one write overlaps too many cells of the index. */
const UNIT_MAX = 65_536;
const STEPS = 70;
/** The mark of the initial bytes. */
const INITIAL = 1;

/** The bytes of marks; each mark starts at another byte. */
const PATTERN = Uint8Array.from(
  { length: 255 + PLACES * UNIT_MAX },
  (_, i) => 1 + i % 255,
);

/** What reads return: any legal bytes, or those of a simulated real disk. */
export type Finding = "legal" | "real";

/** The comparisons of a history. */
export interface Tally {
  /** Reads that both accepted. */
  accepted: number;
  /** Reads that both rejected. */
  rejected: number;
  /** Units for which more than one mark was legal. */
  open: number;
}

interface Call {
  readonly at: number;
  readonly length: number;
  /** The sizes that the disk may have during the call, in units. */
  least: number;
  most: number;
}

interface Read extends Call {
  readonly kind: "read";
  readonly model: ModelRead;
  readonly reference: ReferenceRead;
  /** The marks that it has found so far on a real disk. */
  readonly found: number[];
}

interface Write extends Call {
  readonly kind: "write";
  readonly mark: number;
  readonly model: ModelWrite;
  readonly reference: ReferenceWrite;
  readonly real: RealWrite;
}

interface Resize extends Call {
  readonly kind: "resize";
  readonly model: ModelResize;
  readonly reference: ReferenceWrite;
  readonly size: number;
}

/** Plays one history; throws if model and reference disagree. */
export function playHistory(seed: number, finding: Finding): Tally {
  return new History(seed, finding).play();
}

class History {
  readonly #random: Random;
  readonly #finding: Finding;
  readonly #unit: number;
  /** Position of the first unit: usually not at the start of a page. */
  readonly #base: number;
  readonly #mayFail: boolean;
  readonly #model: DiskModel;
  readonly #reference: ReferenceDisk;
  readonly #real: RealDisk;
  readonly #calls: Set<Read | Write | Resize> = new Set();
  readonly #tally: Tally = { accepted: 0, rejected: 0, open: 0 };
  #size = PLACES;
  #marks = INITIAL;

  constructor(seed: number, finding: Finding) {
    const random = new Random(seed);
    this.#random = random;
    this.#finding = finding;
    this.#unit = random.chance(0.01) ? UNIT_MAX : random.pick(UNITS);
    this.#base = random.pick([0, 4096 - 3, 16_384 - 5, 8192]);
    this.#mayFail = random.chance(0.5);
    this.#reference = new ReferenceDisk(INITIAL);
    this.#real = new RealDisk(PLACES, INITIAL, random.fork());
    this.#model = new DiskModel({
      size: this.#base + PLACES * this.#unit,
      mayFail: this.#mayFail,
      initial: (position, into) => mark(INITIAL, position, into),
    });
  }

  play(): Tally {
    const inFlight = this.#random.between(1, 6);
    for (let step = 0; step < STEPS; step++) {
      this.#real.step();
      this.#look();
      const isFull = this.#calls.size >= inFlight;
      if (isFull || this.#random.chance(0.4)) this.#end();
      else this.#begin();
    }
    while (this.#calls.size > 0) this.#end();
    this.#forgetLost();
    this.#beginRead(0, PLACES);
    this.#end();
    return this.#tally;
  }

  #begin(): void {
    const random = this.#random;
    const at = random.below(PLACES);
    const length = random.chance(0.2)
      ? PLACES - at
      : random.between(1, Math.min(6, PLACES - at));
    const dice = random.below(20);
    if (dice < 9) this.#beginRead(at, length);
    else if (dice < 18) this.#beginWrite(at, length);
    else if (dice === 18) this.#forgetLost();
    else this.#beginResize(random.between(1, PLACES));
  }

  #end(): void {
    const calls = [...this.#calls];
    if (calls.length === 0) return;
    const call = this.#random.pick(calls);
    switch (call.kind) {
      case "read":
        this.#endRead(call);
        break;
      case "write":
        this.#endWrite(call);
        break;
      case "resize":
        this.#endResize(call);
        break;
    }
    this.#calls.delete(call);
  }

  #beginRead(at: number, length: number): void {
    const { position, bytes } = this.#bytes(at, length);
    const model = this.#model.beginRead(position, bytes);
    const reference = this.#reference.beginRead(at, length);
    const window = this.#window();
    const found: number[] = [];
    this.#calls.add(
      { kind: "read", at, length, model, reference, found, ...window },
    );
  }

  #beginWrite(at: number, length: number): void {
    const isZero = this.#random.chance(0.2);
    const written = isZero ? ZERO : ++this.#marks;
    const { position, bytes } = this.#bytes(at, length);
    const data = isZero ? null : this.#marked(written, position, bytes);
    const model = this.#model.beginWrite(position, data, bytes);
    // The caller of a write may reuse its memory at once.
    data?.fill(0xee);
    const reference = this.#reference.beginWrite(at, length, written);
    const window = this.#window();
    const real = this.#real.beginWrite(at, length, written);
    const call = { at, length, mark: written, model, reference, real };
    this.#calls.add({ kind: "write", ...call, ...window });
  }

  #beginResize(size: number): void {
    const calls = [...this.#calls];
    // Two at a time make the size uncertain, which the model's own tests cover.
    if (calls.some(({ kind }) => kind === "resize")) return;
    const isReal = this.#finding === "real";
    if (isReal && (calls.length > 0 || this.#real.lingers)) return;
    const at = Math.min(size, this.#size);
    const length = PLACES - at;
    const model = this.#model.beginResize(this.#base + size * this.#unit);
    const reference = this.#reference.beginWrite(at, length, ZERO);
    if (isReal) this.#real.zero(at);
    for (const call of calls) {
      call.least = Math.min(call.least, size);
      call.most = Math.max(call.most, size);
    }
    const window = { least: size, most: size };
    const resize = { at, length, model, reference, size, ...window };
    this.#calls.add({ kind: "resize", ...resize });
    if (isReal) this.#end();
  }

  #endResize({ model, reference, size, length }: Resize): void {
    this.#model.endResize(model, "done");
    this.#reference.endWrite(reference, length, length, "done");
    this.#size = size;
  }

  #endWrite(call: Write): void {
    const random = this.#random;
    const most = fits(call, call.most);
    const sure = fits(call, call.least);
    const isZero = call.mark === ZERO;
    const outcome: ReferenceOutcome = random.chance(0.75)
      ? "done"
      : random.pick(["failed", "lost"]);
    let count = 0;
    if (outcome === "done") {
      const least = this.#mayFail && random.chance(0.3) ? 0 : sure;
      count = isZero ? sure : random.between(least, most);
    }
    const reported = outcome === "done" ? count * this.#unit : -1;
    this.#model.endWrite(call.model, reported, outcome === "lost");
    // If calls may fail, a short write may have written more than it says;
    // zeroing never says how much it did.
    const rest = outcome === "done" && (this.#mayFail || isZero)
      ? "failed"
      : outcome;
    const reach = isZero ? most : call.length;
    this.#reference.endWrite(call.reference, count, reach, rest);
    this.#real.endWrite(call.real, count, rest === "lost");
  }

  #endRead(call: Read): void {
    const random = this.#random;
    const { at, model, reference } = call;
    if (random.chance(0.1)) {
      this.#model.endRead(model, null);
      this.#reference.endRead(reference, null);
      return;
    }
    const most = fits(call, call.most);
    const least = this.#mayFail && random.chance(0.2)
      ? 0
      : fits(call, call.least);
    const length = random.between(least, most);
    const found: number[] = [];
    for (let i = 0; i < length; i++) {
      const legal = [...this.#reference.legal(reference, at + i)];
      if (legal.length > 1) this.#tally.open++;
      const real = call.found[i] ?? this.#real.at(at + i);
      const isReal = this.#finding === "real";
      if (isReal && !legal.includes(real)) {
        throw new Error(`The reference refuses ${real} at ${at + i}`);
      }
      found.push(isReal ? real : random.pick(legal));
    }
    const { position } = this.#bytes(at, 0);
    const bytes = this.#marked(found, position, length * this.#unit);
    const wrong = length > 0 && random.chance(0.3)
      ? this.#spoil(call, bytes)
      : null;
    const refused = this.#refusal(model, bytes);
    this.#reference.endRead(reference, wrong === null ? found : null);
    if (refused !== wrong) {
      throw new Error(
        `Reference and model disagree about a read at ${position}: ` +
          `first wrong byte at ${wrong}, and at ${refused}`,
      );
    }
    if (wrong === null) this.#tally.accepted++;
    else this.#tally.rejected++;
  }

  /** Makes one unit, or one byte of it, illegal; returns its position. */
  #spoil(call: Read, bytes: Uint8Array): number {
    const random = this.#random;
    const unit = this.#unit;
    const place = random.below(bytes.length / unit);
    const legal = this.#reference.legal(call.reference, call.at + place);
    const marks = Array.from({ length: this.#marks + 2 }, (_, i) => i);
    const illegal = marks.filter((mark) => !legal.has(mark));
    const isWhole = random.chance(0.5);
    const from = place * unit + (isWhole ? 0 : random.below(unit));
    const to = isWhole ? (place + 1) * unit : from + 1;
    const position = this.#bytes(call.at, 0).position + from;
    mark(random.pick(illegal), position, bytes.subarray(from, to));
    return position;
  }

  /**
   * Ends a read in the model; returns the position of the refusal or `null`.
   */
  #refusal(read: ModelRead, bytes: Uint8Array): number | null {
    try {
      this.#model.endRead(read, bytes);
      return null;
    } catch (error) {
      if (!(error instanceof ModelMismatch)) throw error;
      return error.position;
    }
  }

  #forgetLost(): void {
    this.#model.forgetLost();
    this.#reference.forgetLost();
    this.#real.forgetLost();
  }

  /** Reads of a real disk read one unit after another, in any order. */
  #look(): void {
    for (const call of this.#calls) {
      if (call.kind !== "read" || this.#random.chance(0.5)) continue;
      const i = this.#random.below(call.length);
      call.found[i] ??= this.#real.at(call.at + i);
    }
  }

  /** The sizes that are possible now. */
  #window(): { least: number; most: number } {
    const sizes = [this.#size];
    for (const call of this.#calls) {
      if (call.kind === "resize") sizes.push(call.size);
    }
    return { least: Math.min(...sizes), most: Math.max(...sizes) };
  }

  #bytes(at: number, length: number): { position: number; bytes: number } {
    const position = this.#base + at * this.#unit;
    return { position, bytes: length * this.#unit };
  }

  /** The bytes of marks, in memory with any alignment. */
  #marked(
    marks: number | readonly number[],
    position: number,
    length: number,
  ): Uint8Array {
    const skip = this.#random.pick([0, 0, 3]);
    const bytes = new Uint8Array(skip + length).subarray(skip);
    if (typeof marks === "number") return mark(marks, position, bytes);
    for (const [i, one] of marks.entries()) {
      const from = i * this.#unit;
      mark(one, position + from, bytes.subarray(from, from + this.#unit));
    }
    return bytes;
  }
}

function fits({ at, length }: Call, size: number): number {
  return Math.max(0, Math.min(length, size - at));
}

/**
 * Fills in the bytes of a mark; two marks have no byte in common at any
 * position.
 */
function mark(mark: number, position: number, into: Uint8Array): Uint8Array {
  if (mark === ZERO) return into.fill(0);
  const from = (mark + position) % 255;
  into.set(PATTERN.subarray(from, from + into.length));
  return into;
}
