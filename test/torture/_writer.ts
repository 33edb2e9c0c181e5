/**
 * A client that writes random blocks until it gets an error, through several
 * descriptors at once, each in its own part of the file. Its log has one line a
 * block: `SYNCED BLOCK SEQUENCE` for a block that fsync acknowledged, and `LAST
 * BLOCK SEQUENCE` for the last write to a block.
 *
 * @module
 */
import { BLOCK, fillBlock } from "./_blocks.ts";

const [path, log, blocks, seed, start] = Deno.args;
const LANES = 3;
const RUN_MAX = 8;

let state = Number(seed) | 1;

/** A whole number below a limit. */
function random(limit: number): number {
  state ^= state << 13;
  state ^= state >>> 17;
  state ^= state << 5;
  return (state >>> 0) % limit;
}

let sequence = Number(start);
const synced = new Map<number, number>();
const last = new Map<number, number>();

async function write(lane: number): Promise<void> {
  const count = Math.floor(Number(blocks) / LANES);
  using file = await Deno.open(path!, { read: true, write: true });
  let unsynced = new Map<number, number>();
  for (let turn = 0;; turn++) {
    const length = 1 + random(RUN_MAX);
    const first = lane * count + random(count - length);
    const bytes = new Uint8Array(length * BLOCK);
    for (let i = 0; i < length; i++) {
      fillBlock(bytes, i * BLOCK, first + i, ++sequence);
      last.set(first + i, sequence);
      unsynced.set(first + i, sequence);
    }
    await file.seek(first * BLOCK, Deno.SeekMode.Start);
    for (let at = 0; at < bytes.length;) {
      at += await file.write(bytes.subarray(at));
    }
    if (turn === 2) Deno.stdout.writeSync(new TextEncoder().encode("begun\n"));
    if (random(6) !== 0) continue;
    await (random(2) === 0 ? file.sync() : file.syncData());
    for (const [block, number] of unsynced) synced.set(block, number);
    unsynced = new Map();
  }
}

const ends = await Promise.allSettled([0, 1, 2].map(write));
const lines = [
  ...[...synced].map(([block, number]) => `SYNCED ${block} ${number}`),
  ...[...last].map(([block, number]) => `LAST ${block} ${number}`),
  ...ends.map((end) =>
    `END ${end.status === "rejected" ? String(end.reason) : "?"}`
  ),
];
await Deno.writeTextFile(log!, lines.join("\n"));
Deno.exit(0);
