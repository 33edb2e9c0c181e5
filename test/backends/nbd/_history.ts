/**
 * Writers on several connections of one export, whose server loses connections
 * and what it has not flushed, in virtual time.
 *
 * @module
 */
import { attachImage } from "../../../src/backends/attach_image.ts";
import type { Backend } from "../../../src/backends/backend.ts";
import { openImage } from "../../../src/backends/open_image.ts";
import { SyncErrors } from "../../../src/backends/sync_errors.ts";
import type { Random } from "../../_random.ts";
import { FakeFiles } from "../_fake_files.ts";
import { imageOptions } from "../_image_options.ts";
import { ModelServer } from "./_model_server.ts";
import { VirtualTime } from "./_virtual_time.ts";

const BLOCK = 512;
const BLOCKS = 6;
const WRITERS_MAX = 6;
const SIZE = BLOCK * BLOCKS * WRITERS_MAX;
const RECONNECT_S = 60;
/** Losses of connections and crashes of one history, at most. */
const DISTURBANCES = 5;
/** How long the server may hang: some of it is longer than it may be silent. */
const STALLS_MS = [2000, 35_000];
/** Virtual time after which a history hangs: ten minutes. */
const LIMIT_MS = 600_000;

/** Figures of histories. */
export interface HistoryFigures {
  requests: number;
  losses: number;
  crashes: number;
  stalls: number;
  syncErrors: number;
  failures: number;
}

/** What is known of one block. Versions count its writes. */
interface BlockState {
  /** The write that was begun last. */
  issued: number;
  /** The write that was answered last, unless it may be lost: then `null`. */
  answered: number | null;
  /** The write that is durable. */
  floor: number;
}

/** The bytes of a version of a block; no two have the same. */
function bytesOf(block: number, version: number): Uint8Array {
  const bytes = new Uint8Array(BLOCK);
  if (version === 0) return bytes;
  const words = new Uint32Array(bytes.buffer);
  words.forEach((_, i) => words[i] = version * 65_536 + block * 256 + i + 1);
  return bytes;
}

/** The version that some bytes are; `null` if they are none of this block. */
function versionOf(block: number, bytes: Uint8Array): number | null {
  const first = new Uint32Array(bytes.slice(0, 4).buffer)[0]!;
  const version = Math.floor(first / 65_536);
  const expected = bytesOf(block, version);
  return expected.every((byte, i) => byte === bytes[i]) ? version : null;
}

/** One program that has the export open, and writes blocks of its own. */
class Writer {
  readonly #backend: Backend;
  readonly #syncErrors: SyncErrors;
  readonly #first: number;
  readonly #random: Random;
  readonly #figures: HistoryFigures;
  readonly #mayFail: boolean;
  readonly #blocks: BlockState[];
  /** Buffers of reads that have ended, and what they were then. */
  readonly #kept: [Uint8Array, Uint8Array][] = [];
  #seen: number;

  constructor(
    backend: Backend,
    syncErrors: SyncErrors,
    first: number,
    random: Random,
    figures: HistoryFigures,
    mayFail: boolean,
  ) {
    this.#backend = backend;
    this.#syncErrors = syncErrors;
    this.#first = first;
    this.#random = random;
    this.#figures = figures;
    this.#mayFail = mayFail;
    this.#seen = syncErrors.count;
    this.#blocks = Array.from({ length: BLOCKS }, () => ({
      issued: 0,
      answered: null,
      floor: 0,
    }));
  }

  async run(steps: number): Promise<void> {
    const random = this.#random;
    for (let i = 0; i < steps; i++) {
      const index = random.below(BLOCKS);
      const kind = random.below(10);
      if (kind < 5) await this.#write(index);
      else if (kind < 8) await this.#read(index);
      else await this.sync();
      this.#figures.requests++;
      if (random.oneIn(4)) await wait(random.below(300));
    }
  }

  /** What fsync(2) says to this program: 0 or EIO. */
  async sync(): Promise<boolean> {
    const before = this.#blocks.map(({ answered }) => answered);
    const result = await this.#backend.flush();
    const { count } = this.#syncErrors;
    const isGood = result >= 0 && count === this.#seen;
    this.#seen = count;
    if (!isGood) this.#figures.syncErrors++;
    this.#blocks.forEach((block, i) => {
      // After an error, whatever was answered until now may be lost.
      if (!isGood) block.answered = null;
      else if (before[i] !== null) {
        block.floor = Math.max(block.floor, before[i]!);
      }
    });
    return isGood;
  }

  /** Checks what is there against what must be. */
  check(disk: Uint8Array): void {
    this.#blocks.forEach((_, i) => {
      const at = (this.#first + i) * BLOCK;
      this.#judge(i, disk.subarray(at, at + BLOCK), "on the disk");
    });
    for (const [buffer, copy] of this.#kept) {
      if (buffer.some((byte, i) => byte !== copy[i])) {
        throw new Error("a reply came into a buffer that was given back");
      }
    }
  }

  async #write(index: number): Promise<void> {
    const block = this.#blocks[index]!;
    const version = ++block.issued;
    const number = this.#first + index;
    const data = bytesOf(number, version);
    const put = await this.#backend.write(number * BLOCK, data, 0, BLOCK);
    if (put === BLOCK) block.answered = version;
    else this.#failed(put);
  }

  async #read(index: number): Promise<void> {
    const number = this.#first + index;
    const buffer = new Uint8Array(3 * BLOCK).fill(0xcc);
    const got = await this.#backend.read(
      number * BLOCK,
      buffer,
      BLOCK,
      BLOCK,
    );
    if (got !== BLOCK) return this.#failed(got);
    this.#judge(index, buffer.subarray(BLOCK, 2 * BLOCK), "read");
    if (buffer[BLOCK - 1] !== 0xcc || buffer[2 * BLOCK] !== 0xcc) {
      throw new Error("a reply went beyond its buffer");
    }
    this.#kept.push([buffer, buffer.slice()]);
  }

  #judge(index: number, bytes: Uint8Array, where: string): void {
    const { floor, issued } = this.#blocks[index]!;
    const version = versionOf(this.#first + index, bytes);
    if (version !== null && version >= floor && version <= issued) return;
    throw new Error(
      `block ${
        this.#first + index
      } ${where}: version ${version}, expected ${floor} to ${issued}`,
    );
  }

  #failed(result: number): void {
    this.#figures.failures++;
    if (result === -5 && this.#mayFail) return;
    throw new Error(`a request failed with ${result}`);
  }
}

/**
 * Runs one history.
 *
 * @throws {Error} If something is lost, mixed up, or hangs.
 */
export async function runHistory(
  random: Random,
  figures: HistoryFigures,
): Promise<void> {
  using time = new VirtualTime();
  const longest = random.pick([0, 5, 50, 2000]);
  const server = new ModelServer({
    size: SIZE,
    structured: random.oneIn(2),
    outlives: random.oneIn(2),
    // Few take long, so that others overtake them.
    delay: () =>
      isOpen
        ? random.below(1 + Math.floor(longest / (random.oneIn(8) ? 1 : 20)))
        : 0,
    split: () =>
      isOpen ? 1 + random.below(random.pick([8, 100, 100_000])) : Infinity,
  });
  const mayFail = random.oneIn(4);
  // What is read to open the image takes nothing of the numbers of a seed.
  let isOpen = false;
  const opened = () => void (isOpen = true);
  const history = tell(server, random, figures, mayFail, opened);
  if (!await time.until(history, LIMIT_MS)) throw new Error("it hangs");
  await history;
}

async function tell(
  server: ModelServer,
  random: Random,
  figures: HistoryFigures,
  mayFail: boolean,
  opened: () => void,
): Promise<void> {
  const services = { ...new FakeFiles().services(), sockets: server };
  const options = { ...imageOptions, writable: true, reconnect: RECONNECT_S };
  const image = await openImage("nbd://model/", options, services);
  opened();
  const { syncErrors } = image;
  const threads = [image.backend];
  const closes = [() => image.close()];
  for (let queue = 0; queue < random.below(3); queue++) {
    const own = SyncErrors.over(syncErrors.memory);
    const attached = await attachImage(
      structuredClone(image.attachment!),
      { ...services, syncErrors: own, queue },
    );
    threads.push(attached.backend);
    closes.push(() => attached.close());
  }
  const count = 1 + random.below(WRITERS_MAX);
  const writers = Array.from({ length: count }, (_, i) => {
    const backend = random.pick(threads);
    const first = i * BLOCKS;
    const own = random.fork();
    return new Writer(backend, syncErrors, first, own, figures, mayFail);
  });
  let isOver = false;
  const chaos = disturb(server, random.fork(), figures, mayFail, () => isOver);
  await Promise.all(writers.map((writer) => writer.run(10 + random.below(30))));
  isOver = true;
  await chaos;
  server.isDown = false;
  for (const writer of writers) if (!await writer.sync()) await writer.sync();
  server.crash();
  for (const writer of writers) writer.check(server.bytes);
  for (const close of closes.toReversed()) await close();
}

/**
 * Cuts connections and crashes the server, which stays away for a while; in some
 * histories it hangs once.
 */
async function disturb(
  server: ModelServer,
  random: Random,
  figures: HistoryFigures,
  mayFail: boolean,
  isOver: () => boolean,
): Promise<void> {
  // All of it takes less than the time to reconnect, unless requests may fail.
  const hanging = random.oneIn(3) ? random.below(DISTURBANCES) : null;
  const pause = hanging === null ? random.pick([20, 500, 3000]) : 500;
  const longAway = hanging === null ? 5000 : 0;
  for (let i = 0; i < DISTURBANCES && !isOver(); i++) {
    await wait(random.below(pause));
    if (i === hanging) {
      figures.stalls++;
      server.stall();
      await wait(random.pick(STALLS_MS));
      server.resume();
      continue;
    }
    const away = random.pick([0, 0, 200, longAway, mayFail ? 90_000 : 0]);
    server.isDown = away > 0;
    if (random.oneIn(2)) {
      figures.losses++;
      server.cut();
    } else {
      figures.crashes++;
      crash(server, random);
    }
    await wait(away);
    server.isDown = false;
    await wait(random.below(pause));
  }
}

/** Some of what was not flushed has reached the disk all the same. */
function crash(server: ModelServer, random: Random): void {
  const before = server.bytes;
  server.crash();
  for (let at = 0; at < SIZE; at += BLOCK) {
    if (random.oneIn(2)) server.bytes.set(before.subarray(at, at + BLOCK), at);
  }
}

function wait(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}
