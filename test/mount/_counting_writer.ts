/**
 * A program that writes numbers to blocks of a file, one after the other, by which
 * a copy of the file tells up to which write it has everything.
 *
 * @module
 */
import { assertEquals } from "@std/assert";

const WRITER = new URL("_counting_writer.py", import.meta.url).pathname;
const BLOCK = 4096;
/** Seconds after which it has failed. */
const LIMIT_S = 120;
const LOOK_MS = 20;

/** Where it writes. */
export interface NumberedBlocks {
  /** The first byte, a multiple of 4096. */
  readonly start: number;
  /** How many blocks of 4 KiB. */
  readonly count: number;
}

/** A running writer. */
export class CountingWriter implements AsyncDisposable {
  readonly #child: Deno.ChildProcess;
  readonly #told: string;

  /**
   * Starts one.
   *
   * @param path The file.
   * @param told A file that tells how far it is.
   * @param first The first number.
   */
  constructor(
    path: string,
    { start, count }: NumberedBlocks,
    told: string,
    first: number = 1,
  ) {
    this.#told = told;
    const args = [path, `${start / BLOCK}`, `${count}`, told, `${first}`];
    this.#child = new Deno.Command("timeout", {
      args: ["-k", "2", `${LIMIT_S}`, "python3", WRITER, ...args],
      stdout: "null",
      stderr: "null",
    }).spawn();
  }

  /** The number up to which it has surely written, and may have written. */
  async progress(): Promise<readonly [number, number]> {
    const view = new DataView((await Deno.readFile(this.#told)).buffer);
    const at = (offset: number) => Number(view.getBigUint64(offset, true));
    return [at(0), at(8)];
  }

  /** Waits until it has written a number. */
  async until(number: number): Promise<void> {
    for (let waited = 0; waited < LIMIT_S * 1000; waited += LOOK_MS) {
      const [written] = await this.progress().catch(() => [0]);
      if (written! >= number) return;
      await new Promise((resolve) => setTimeout(resolve, LOOK_MS));
    }
    throw new Error("The writer does not go on");
  }

  /** Ends it, if it has not ended. */
  async [Symbol.asyncDispose](): Promise<void> {
    try {
      this.#child.kill("SIGTERM");
    } catch {
      // It has ended.
    }
    await this.#child.status;
  }
}

/** Up to which number a disk has all; fails if it has a mixture. */
export function lastNumber(
  disk: Uint8Array,
  { start, count }: NumberedBlocks,
): number {
  const view = new DataView(disk.buffer, disk.byteOffset + start);
  const numbers = Array.from({ length: count }, (_, block) => {
    const all = Array.from(
      { length: BLOCK / 8 },
      (_, i) => Number(view.getBigUint64(block * BLOCK + 8 * i, true)),
    );
    assertEquals(new Set(all).size, 1, `block ${block} is torn`);
    return all[0]!;
  });
  const last = Math.max(...numbers);
  numbers.forEach((number, block) => {
    const wanted = last - (last - block + count) % count;
    assertEquals(number, Math.max(0, wanted), `block ${block} of ${last}`);
  });
  return last;
}
