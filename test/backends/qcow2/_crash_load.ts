/**
 * Requests of several threads to one image, whose calls end in any order, and a
 * model of what the image may have after a cut of the power.
 *
 * @module
 */
import { assert, assertEquals } from "@std/assert";
import { attachImage } from "../../../src/backends/attach_image.ts";
import type { Backend } from "../../../src/backends/backend.ts";
import { openImage } from "../../../src/backends/open_image.ts";
import type { Random } from "../../_random.ts";
import { imageOptions } from "../_image_options.ts";
import { type CutDisk, cutServices, PATH, ShuffledIo } from "./_cut_disk.ts";
import { qemu } from "./_qemu.ts";

/** Bytes of a sector, which are all the same. */
export const SECTOR = 512;
/** The longest file of an image. */
export const MAX: number = 24 << 20;
/** The first size of a disk. */
export const SIZE = 1_000_448;
/** Sectors of the largest disk. */
const SECTORS_MAX = 8192;
const THREADS = 3;
const AT_ONCE = 8;

/** What each sector may hold: its fill bytes since the last flush. */
export class Sectors {
  /** Sectors that the disk has before and after a change of its size. */
  readable: number;
  /** Changes under way. */
  changing = 0;
  /** Sizes that the disk may have. */
  #sizes: readonly number[];
  readonly #may: Set<number>[];
  readonly #now: number[];
  readonly #busy: boolean[];
  /** How many reads of each are under way: they may find what was before. */
  readonly #reads: number[];
  /** Counts changes, for flushes that overlap with them. */
  readonly #changed: number[];
  #changes = 0;

  constructor(bytes: Uint8Array) {
    for (let at = 0; at < bytes.length; at++) {
      assertEquals(bytes[at], bytes[at - at % SECTOR], "one byte a sector");
    }
    this.readable = bytes.length / SECTOR;
    this.#sizes = [this.readable];
    this.#now = Array.from(
      { length: SECTORS_MAX },
      (_, i) => bytes[i * SECTOR] ?? 0,
    );
    this.#may = this.#now.map((byte) => new Set([byte]));
    this.#busy = this.#now.map(() => false);
    this.#changed = this.#now.map(() => 0);
    this.#reads = this.#now.map(() => 0);
  }

  /** Whether a range is free for a change, which it then is not. */
  take(first: number, count: number): boolean {
    if (this.#busy.slice(first, first + count).includes(true)) return false;
    this.#busy.fill(true, first, first + count);
    this.changing++;
    return true;
  }

  read(first: number, count: number, by: 1 | -1): void {
    for (let i = first; i < first + count; i++) this.#reads[i]! += by;
  }

  begin(first: number, count: number, byte: number): void {
    for (let i = first; i < first + count; i++) this.#may[i]!.add(byte);
  }

  end(first: number, count: number, byte: number, isDone: boolean): void {
    this.#changes++;
    for (let i = first; i < first + count; i++) {
      if (isDone) this.#now[i] = byte;
      // After an error any part of it may be there.
      else this.#now[i] = -1;
      this.#changed[i] = this.#changes;
    }
    this.#busy.fill(false, first, first + count);
    this.changing--;
  }

  /** Begins to change the size, in sectors; nothing else changes meanwhile. */
  beginSize(to: number): void {
    const from = this.readable;
    this.readable = Math.min(from, to);
    this.#sizes = [from, to];
    for (let i = this.readable; i < Math.max(from, to); i++) {
      // What the disk had there once must not come back.
      if (to > from) this.#may[i]!.clear();
      this.#may[i]!.add(0);
      this.#busy[i] = true;
    }
  }

  endSize(): void {
    const [from = 0, to = 0] = this.#sizes;
    this.#sizes = [to];
    this.#changes++;
    for (let i = this.readable; i < Math.max(from, to); i++) {
      this.#now[i] = 0;
      this.#changed[i] = this.#changes;
      this.#busy[i] = false;
    }
    this.readable = to;
  }

  /** The state to hand to `flushed()`. */
  get changes(): number {
    return this.#changes;
  }

  flushed(changes: number): void {
    this.#now.forEach((byte, i) => {
      if (this.#changed[i]! > changes || this.#busy[i] || byte < 0) return;
      if (this.#reads[i]! > 0) return;
      this.#may[i] = new Set([byte]);
    });
  }

  /** The byte of each sector now; -1 where it is not known. */
  copy(): readonly number[] {
    return this.#now.slice(0, this.readable);
  }

  /** Asserts that bytes are what they may be. */
  check(bytes: Uint8Array, first: number, what: string): void {
    for (let at = 0; at < bytes.length; at++) {
      const sector = first + Math.floor(at / SECTOR);
      const may = this.#may[sector]!;
      if (may.has(bytes[at]!)) continue;
      throw new Error(
        `${what}: sector ${sector} has ${bytes[at]}, not ${[...may]}`,
      );
    }
  }

  /** Asserts the same of a whole disk after a cut. */
  checkCut(bytes: Uint8Array): void {
    const sectors = bytes.length / SECTOR;
    assert(this.#sizes.includes(sectors), `${sectors}, not ${this.#sizes}`);
    this.check(bytes, 0, "after a cut");
  }

  /** Asserts the same of sectors that are not being changed. */
  checkNow(bytes: Uint8Array, what: string): void {
    assertEquals(bytes.length, this.readable * SECTOR);
    for (let i = 0; i < this.readable; i++) {
      const byte = this.#now[i]!;
      const part = bytes.subarray(i * SECTOR, (i + 1) * SECTOR);
      if (byte >= 0 && part.some((each) => each !== byte)) {
        throw new Error(`${what}: sector ${i} has ${part[0]}, not ${byte}`);
      }
    }
  }
}

/** Threads that have attached to one image. */
export interface Attached {
  /** The image in the thread that opened it. */
  readonly main: Backend;
  readonly backends: readonly Backend[];
  readonly ios: readonly ShuffledIo[];
  close(): Promise<void>;
}

/** Opens an image, and attaches threads to it. */
export async function attach(
  disk: CutDisk,
  cacheSize: number,
): Promise<Attached> {
  const options = { ...imageOptions, writable: true, cacheSize };
  const services = cutServices(disk, null);
  const image = await openImage(`qcow2:${PATH}`, options, services);
  const ios = Array.from({ length: THREADS }, () => new ShuffledIo(disk));
  const threads = await Promise.all(
    ios.map((io) =>
      attachImage(structuredClone(image.attachment!), {
        ...cutServices(disk, io),
        syncErrors: image.syncErrors,
      })
    ),
  );
  return {
    main: image.backend,
    backends: threads.map(({ backend }) => backend),
    ios,
    async close() {
      assertEquals(await image.backend.flush(), 0);
      for (const thread of threads) await thread.close();
      await image.close();
    },
  };
}

/** One request at random. */
async function request(
  backend: Backend,
  sectors: Sectors,
  random: Random,
  { mayFail, mayChange }: { mayFail: boolean; mayChange: boolean },
): Promise<void> {
  const count = 1 + random.below(random.pick([8, 8, 300]));
  const first = random.below(sectors.readable - count);
  const [position, length] = [first * SECTOR, count * SECTOR];
  const kind = random.below(mayChange ? 10 : 3);
  if (kind === 0) {
    const { changes } = sectors;
    const flushed = await backend.flush();
    if (flushed === 0) sectors.flushed(changes);
    else assert(mayFail, `flush: ${flushed}`);
  } else if (kind <= 2) {
    const bytes = new Uint8Array(length);
    sectors.read(first, count, 1);
    const got = await backend.read(position, bytes, 0, length);
    sectors.read(first, count, -1);
    if (got < 0) return assert(mayFail, `read: ${got}`);
    sectors.check(bytes.subarray(0, got), first, "read");
  } else if (sectors.take(first, count)) {
    const byte = kind <= 4 ? 0 : 1 + random.below(255);
    sectors.begin(first, count, byte);
    const data = new Uint8Array(length).fill(byte);
    const unmap = random.oneIn(2);
    const result = byte === 0
      ? await backend.zero(position, length, { unmap })
      : await backend.write(position, data, 0, length);
    const isDone = byte === 0 ? result === 0 : result === length;
    assert(isDone || mayFail, `change: ${result}`);
    sectors.end(first, count, byte, isDone);
  }
}

/** How requests are run. */
interface LoadOptions {
  readonly mayFail?: boolean;
  /** Sizes that the disk is given, in sectors; none if left out. */
  readonly sizes?: readonly number[];
  /** Called between the calls of requests. */
  readonly between?: () => Promise<void>;
}

/** Runs requests, several at once. */
export async function load(
  { backends, ios }: Attached,
  sectors: Sectors,
  random: Random,
  requests: number,
  { mayFail = false, sizes = [], between = async () => {} }: LoadOptions = {},
): Promise<void> {
  let running = 0;
  let failure: unknown = null;
  let idle = 0;
  let size: number | null = null;
  let isResizing = false;
  const start = (request: Promise<void>) => {
    running++;
    request.catch((error) => failure = error).finally(() => running--);
  };
  for (let made = 0; made < requests || running > 0;) {
    if (failure !== null) throw failure;
    const isWanted = made < requests && running < AT_ONCE && random.oneIn(2);
    if (isWanted) {
      made++;
      const mayChange = size === null;
      const options = { mayFail, mayChange };
      start(request(random.pick(backends), sectors, random, options));
    }
    if (size === null && sizes.length > 0 && random.oneIn(60)) {
      size = random.pick(sizes);
    }
    // As an export does it: changes wait, and reads and flushes do not.
    if (size !== null && !isResizing && sectors.changing === 0) {
      isResizing = true;
      const resized = resize(random.pick(backends), sectors, size)
        .finally(() => [size, isResizing] = [null, false]);
      start(resized);
    }
    const stepped = random.pick(ios).step(random);
    idle = stepped ? 0 : idle + 1;
    if (idle > 5000) throw new Error("No request goes on");
    if (stepped && random.oneIn(3)) await between();
    if (!stepped || random.oneIn(4)) {
      await new Promise((resolve) => setTimeout(resolve));
    }
  }
  if (failure !== null) throw failure;
}

async function resize(
  backend: Backend,
  sectors: Sectors,
  size: number,
): Promise<void> {
  sectors.beginSize(size);
  assertEquals(await backend.truncate(size * SECTOR), 0, "resize");
  sectors.endSize();
}

/** Asserts that QEMU finds the image sound, and returns its bytes. */
export async function inspect(
  directory: string,
  bytes: Uint8Array,
  codes: readonly number[],
): Promise<Uint8Array> {
  await Deno.writeFile(`${directory}/cut.qcow2`, bytes);
  const isDirty = bytes[7] === 3 && (bytes[79]! & 1) !== 0;
  // Refcounts that were to be written later; the command fails if they were.
  if (isDirty) {
    const repair = ["check", "-q", "-f", "qcow2", "-r", "all", "cut.qcow2"];
    await new Deno.Command("qemu-img", { args: repair, cwd: directory })
      .output();
  }
  const check = await new Deno.Command("qemu-img", {
    args: ["check", "-f", "qcow2", "cut.qcow2"],
    cwd: directory,
  }).output();
  const said = new TextDecoder().decode(check.stdout) +
    new TextDecoder().decode(check.stderr);
  assert(codes.includes(check.code), said);
  const convert = [
    "convert",
    "-f",
    "qcow2",
    "-O",
    "raw",
    "cut.qcow2",
    "cut.raw",
  ];
  await qemu(directory, "qemu-img", ...convert);
  return await Deno.readFile(`${directory}/cut.raw`);
}

/** Makes an image with data, and perhaps a snapshot; returns what it reads as. */
export async function created(
  directory: string,
  kind: string,
  random: Random,
  maySnapshot: boolean = true,
): Promise<{ bytes: Uint8Array; disk: Uint8Array }> {
  const create = ["create", "-q", "-f", "qcow2", "-o", kind, "new.qcow2"];
  await qemu(directory, "qemu-img", ...create, `${SIZE}`);
  const writes: string[] = [];
  for (let i = 0; i < 10; i++) {
    const at = random.below(15) * 65_536;
    const how = random.pick(["-c ", ""]);
    const byte = 1 + random.below(255);
    writes.push(`write ${how}-P ${byte} ${at} 65536`);
  }
  // Compressed ones first: QEMU 10.0 would append the next to a cluster that was
  // freed meanwhile and has the data of another (`free_byte_offset`).
  const isPlain = (write: string) => write.startsWith("write -P");
  writes.sort((a, b) => Number(isPlain(a)) - Number(isPlain(b)));
  const commands = writes.flatMap((write) => ["-c", write]);
  await new Deno.Command("qemu-io", {
    args: ["-f", "qcow2", ...commands, "new.qcow2"],
    cwd: directory,
  }).output();
  if (random.oneIn(2) && maySnapshot) {
    await qemu(directory, "qemu-img", "snapshot", "-c", "s", "new.qcow2");
  }
  const bytes = await Deno.readFile(`${directory}/new.qcow2`);
  return { bytes, disk: await inspect(directory, bytes, [0]) };
}
