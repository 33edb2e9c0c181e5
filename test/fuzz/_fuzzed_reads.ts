/**
 * Reading from a server that does harm: what may come of it.
 *
 * @module
 */
import { assert, assertEquals } from "@std/assert";
import type { Backend } from "../../src/backends/backend.ts";
import type { Random } from "../_random.ts";

const SIZE = 300_007;
/** What the server has. */
export const BYTES: Uint8Array<ArrayBuffer> = Uint8Array.from(
  { length: SIZE },
  (_, at) => at * 3 + (at >> 7),
);
const READS = 4;
const EIO = -5;
const TICK_MS = 5;
/** Milliseconds that one image may take, by ticks: machines may be suspended. */
const LIMIT_MS = 10_000;

/** What came of fuzzing so far. */
export class FuzzCounts {
  /** Answers. */
  messages = 0;
  /** Images that were opened, and reads that gave the right bytes. */
  opened = 0;
  right = 0;
}

/**
 * Reads parts of an image: each read gives the right bytes or EIO.
 *
 * @returns How many gave bytes.
 * @throws {Error} If one does not.
 */
export async function readSome(
  backend: Backend,
  random: Random,
): Promise<number> {
  let right = 0;
  for (let i = 0; i < READS; i++) {
    // The server may have lied about the size when the image was opened.
    const size = Math.min(SIZE, (await backend.stat()).size);
    const position = random.below(size);
    const length = 1 + random.below(Math.min(100_000, size - position));
    const buffer = new Uint8Array(length + 2).fill(0xee);
    const got = await backend.read(position, buffer, 1, length);
    assert(got === EIO || got === length, `a read of ${length} gave ${got}`);
    assertEquals([buffer[0], buffer.at(-1)], [0xee, 0xee]);
    if (got === EIO) continue;
    right++;
    assertSameBytes(buffer.subarray(1, 1 + length), position);
  }
  return right;
}

function assertSameBytes(bytes: Uint8Array, position: number): void {
  const at = bytes.findIndex((byte, i) => byte !== BYTES[position + i]);
  assert(at < 0, `wrong bytes from ${position + at} on`);
}

/**
 * Runs something that must end in time.
 *
 * @param onTick Is called meanwhile, every few milliseconds.
 * @throws {Error} If it does not end in time, and what it throws.
 */
export async function withinTicks(
  body: () => Promise<void>,
  onTick: () => void = () => {},
): Promise<void> {
  const { promise, reject } = Promise.withResolvers<never>();
  let ticks = 0;
  const timer = setInterval(() => {
    onTick();
    if (++ticks * TICK_MS > LIMIT_MS) reject(new Error("It hangs"));
  }, TICK_MS);
  try {
    await Promise.race([body(), promise]);
  } finally {
    clearInterval(timer);
  }
}
