/**
 * The log of a VHDX image that was not closed: [MS-VHDX] 2.3.3. The file stays as
 * it is; what the log changes is kept in memory.
 *
 * @module
 */
import type { Backend } from "../../backend.ts";
import type { VhdxHeader } from "./header.ts";
import {
  entryLength,
  LOG_SECTOR,
  type LogEntry,
  parseEntry,
} from "./log_entry.ts";
import { type FilePatches, PatchList } from "./patches.ts";
import { refusal } from "./refusal.ts";
import { MIB, readStructure, type Structure } from "./structure.ts";

/** Bytes of a log that is replayed at most; Hyper-V and QEMU make 1 MiB. */
const LOG_MAX = 64 * MIB;
/** How often the log is read at most, in the checks of entries that overlap. */
const CHECKS_MAX = 16;

/**
 * Reads what the log changes.
 *
 * @param file The image's file.
 * @param header Its header.
 * @param name Its name in errors.
 * @returns `null` if the log is empty.
 * @throws {UserError} If it has no whole sequence of entries, or the file has
 * become shorter than the log says.
 */
export async function readLog(
  file: Backend,
  { logId, logOffset, logLength }: VhdxHeader,
  name: string,
): Promise<FilePatches | null> {
  if (logId === null) return null;
  const { size } = await file.stat();
  if (logLength > LOG_MAX || logOffset + logLength > size) {
    throw refusal(name, `its log of ${logLength} bytes cannot be replayed`);
  }
  const bytes = await readStructure(file, logOffset, logLength, name);
  const entries = new LogRing(bytes, logId).activeSequence();
  if (entries === null) {
    throw refusal(
      name,
      "it was not closed, and its log has no whole sequence of entries",
      "let the program that made it repair it",
    );
  }
  const head = entries.at(-1)!;
  if (head.flushedSize > size) {
    throw refusal(
      name,
      `its log wants a file of ${head.flushedSize} bytes, and it has ${size}`,
    );
  }
  const patches = new PatchList(name);
  for (const { changes } of entries) {
    for (const change of changes) patches.add(change);
  }
  return patches.finish(Math.max(size, head.lastSize));
}

/** The bytes of a log, of which entries may wrap around its end. */
class LogRing {
  readonly #log: Structure;
  readonly #logId: string;
  /** Entries that were looked at, by their places; `null` if not sound. */
  readonly #entries = new Map<number, LogEntry | null>();
  /** Bytes that may still be checked. */
  #budget: number;

  constructor(log: Structure, logId: string) {
    this.#log = log;
    this.#logId = logId;
    this.#budget = log.bytes.length * CHECKS_MAX;
  }

  /**
   * The entries to replay: those of the whole sequence with the greatest number,
   * from the one on that its last entry names. `null` if there is none.
   */
  activeSequence(): LogEntry[] | null {
    const { length } = this.#log.bytes;
    let best: LogEntry[] | null = null;
    for (let tail = 0; tail < length;) {
      const { entries, places } = this.#sequenceFrom(tail);
      const last = entries.at(-1);
      const first = last === undefined ? -1 : places.indexOf(last.tail);
      if (last === undefined || first < 0) {
        tail += LOG_SECTOR;
        continue;
      }
      const bestNumber = best?.at(-1)?.sequence ?? 0n;
      if (last.sequence > bestNumber) best = entries.slice(first);
      // Beyond the end, it has wrapped, and nothing else is left.
      tail += entries.reduce((sum, each) => sum + each.length, 0);
    }
    return best;
  }

  /** Entries that follow each other, in place and in number. */
  #sequenceFrom(tail: number): { entries: LogEntry[]; places: number[] } {
    const { length } = this.#log.bytes;
    const entries: LogEntry[] = [];
    const places: number[] = [];
    let taken = 0;
    let at = tail;
    for (;;) {
      const entry = this.#entryAt(at);
      const last = entries.at(-1);
      if (entry === null || taken + entry.length > length) break;
      if (last !== undefined && entry.sequence !== last.sequence + 1n) break;
      entries.push(entry);
      places.push(at);
      taken += entry.length;
      at = (at + entry.length) % length;
    }
    return { entries, places };
  }

  #entryAt(at: number): LogEntry | null {
    const known = this.#entries.get(at);
    if (known !== undefined) return known;
    const entry = this.#parse(at);
    this.#entries.set(at, entry);
    return entry;
  }

  #parse(at: number): LogEntry | null {
    const length = entryLength(this.#range(at, LOG_SECTOR), this.#logId);
    if (length === null || length > this.#log.bytes.length) return null;
    this.#budget -= length;
    return this.#budget < 0 ? null : parseEntry(this.#range(at, length));
  }

  /** A range that may wrap around the end, as one. */
  #range(at: number, length: number): Structure {
    const { bytes } = this.#log;
    if (at + length <= bytes.length) {
      const view = new DataView(bytes.buffer, bytes.byteOffset + at, length);
      return { bytes: bytes.subarray(at, at + length), view };
    }
    const range = new Uint8Array(length);
    const first = Math.min(length, bytes.length - at);
    range.set(bytes.subarray(at, at + first));
    range.set(bytes.subarray(0, length - first), first);
    return { bytes: range, view: new DataView(range.buffer) };
  }
}
