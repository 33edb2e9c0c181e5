import { areBytesEqual } from "./disk_pages.ts";
import type { Overwrite } from "./write_history.ts";

/** A byte that no correct disk can return. */
export interface IllegalByte {
  /** Its position. */
  readonly position: number;
  /** The bytes that are legal there. */
  readonly expected: readonly number[];
}

/**
 * Finds a byte that a read cannot legally return.
 *
 * @param undecided The writes that overlap the read and are not settled.
 * @param began When the read began.
 * @param position Its position.
 * @param bytes The bytes read.
 * @param settled The bytes of settled writes, from the same position on.
 */
export function illegalByte(
  undecided: readonly Overwrite[],
  began: number,
  position: number,
  bytes: Uint8Array,
  settled: Uint8Array,
): IllegalByte | null {
  const end = position + bytes.length;
  const cuts = [position, end];
  for (const write of undecided) {
    cuts.push(write.position, write.position + write.length);
  }
  cuts.sort((a, b) => a - b);
  for (let i = 0; i + 1 < cuts.length; i++) {
    const from = Math.max(position, cuts[i]!);
    const to = Math.min(end, cuts[i + 1]!);
    if (from >= to) continue;
    const sources = sourcesAt(undecided, began, from, position, settled);
    const found = bytes.subarray(from - position, to - position);
    if (sources.some((source) => gave(source, from, found))) continue;
    for (let at = from; at < to; at++) {
      const byte = bytes[at - position]!;
      if (sources.some((source) => valueAt(source, at) === byte)) continue;
      const expected = sources.map((source) => valueAt(source, at));
      return { position: at, expected: [...new Set(expected)] };
    }
  }
  return null;
}

interface Source {
  readonly position: number;
  readonly data: Uint8Array | null;
}

/** The writes that may have left the byte at a position. */
function sourcesAt(
  undecided: readonly Overwrite[],
  began: number,
  at: number,
  position: number,
  settled: Uint8Array,
): Source[] {
  const writes = undecided.filter((write) =>
    at >= write.position && at < write.position + write.length
  );
  const before = writes.filter(({ ended, doubtful }) =>
    ended < began && !doubtful
  );
  const sources: Source[] = writes.filter((write) =>
    !before.some((later) => later.began > write.ended)
  );
  if (before.length === 0) sources.push({ position, data: settled });
  return sources;
}

/** Whether all bytes from `at` on are those of one source. */
function gave(
  { position, data }: Source,
  at: number,
  bytes: Uint8Array,
): boolean {
  return data === null
    ? isZero(bytes)
    : areBytesEqual(data, at - position, bytes);
}

/** A loop is several times faster than `every()`. */
function isZero(bytes: Uint8Array): boolean {
  for (let i = 0; i < bytes.length; i++) if (bytes[i] !== 0) return false;
  return true;
}

function valueAt({ position, data }: Source, at: number): number {
  return data === null ? 0 : data[at - position]!;
}
