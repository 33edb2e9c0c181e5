/**
 * Random writes and reads, checked against what was written.
 *
 * @module
 */

/** A file on a real or simulated mount. */
export interface DemoFile {
  /** Fills a buffer. */
  read(buffer: Uint8Array<ArrayBuffer>, position: number): Promise<void>;
  /** Writes a buffer. */
  write(buffer: Uint8Array<ArrayBuffer>, position: number): Promise<void>;
}

/** The amount of traffic, and when to stop. */
export interface TrafficOptions {
  /** Size of the file in bytes. */
  readonly size: number;
  /** The number of clients, each in its own part of the file. */
  readonly clients: number;
  /** The seed of the random numbers. */
  readonly seed: number;
  /** Whether to stop. */
  readonly done: () => boolean;
}

/** The totals of the clients. */
export interface TrafficResult {
  /** The number of writes. */
  readonly writes: number;
  /** The number of reads, each compared with what was written last. */
  readonly reads: number;
}

/** Bytes of one write or read. */
const BLOCK = 65536;

/**
 * Writes and reads random blocks from several clients at once.
 *
 * @throws {Error} If a read returns other bytes than were written last.
 */
export async function runTraffic(
  file: DemoFile,
  options: TrafficOptions,
): Promise<TrafficResult> {
  const { size, clients, seed } = options;
  const blocks = Math.floor(size / BLOCK / clients);
  const state = { failed: false };
  const results = await Promise.allSettled(
    Array.from({ length: clients }, async (_, index) => {
      const client = new Client(file, index * blocks, blocks, seed + index);
      try {
        while (!state.failed && !options.done()) await client.step();
      } catch (error) {
        state.failed = true;
        throw error;
      }
      return client;
    }),
  );
  const done = results.map((result) => {
    if (result.status === "rejected") throw result.reason;
    return result.value;
  });
  return {
    writes: done.reduce((sum, { writes }) => sum + writes, 0),
    reads: done.reduce((sum, { reads }) => sum + reads, 0),
  };
}

/** One client. */
class Client {
  writes = 0;
  reads = 0;
  readonly #file: DemoFile;
  readonly #first: number;
  /** How often each block was written, which determines its contents. */
  readonly #versions: Uint32Array;
  readonly #words = new Uint32Array(BLOCK / 4);
  readonly #bytes = new Uint8Array(this.#words.buffer);
  #random: number;

  constructor(file: DemoFile, first: number, blocks: number, seed: number) {
    this.#file = file;
    this.#first = first;
    this.#versions = new Uint32Array(blocks);
    // xorshift never leaves the state 0.
    this.#random = seed | 1;
  }

  async step(): Promise<void> {
    const block = this.#next() % this.#versions.length;
    const position = (this.#first + block) * BLOCK;
    if (this.#next() % 2 === 0) {
      const version = this.#versions[block]! + 1;
      this.#fill(position, version);
      await this.#file.write(this.#bytes, position);
      this.#versions[block] = version;
      this.writes++;
    } else {
      await this.#file.read(this.#bytes, position);
      this.#check(position, this.#versions[block]!);
      this.reads++;
    }
  }

  #fill(position: number, version: number): void {
    for (let i = 0; i < this.#words.length; i++) {
      this.#words[i] = wordAt(position + 4 * i, version);
    }
  }

  #check(position: number, version: number): void {
    for (let i = 0; i < this.#words.length; i++) {
      const at = position + 4 * i;
      if (this.#words[i] !== wordAt(at, version)) {
        throw new Error(
          `Read other bytes at ${at} than were written there`,
        );
      }
    }
  }

  /** The next random number: Marsaglia's xorshift32. */
  #next(): number {
    let x = this.#random;
    x ^= x << 13;
    x ^= x >>> 17;
    x ^= x << 5;
    this.#random = x;
    return x >>> 0;
  }
}

/** The four bytes at a position after so many writes; zero at first. */
function wordAt(position: number, version: number): number {
  if (version === 0) return 0;
  return Math.imul(position + version, 0x9e3779b1) >>> 0;
}
