import { decodeName } from "../../base/name_bytes.ts";
import { UserError } from "../../base/user_error.ts";
import { type ByteSource, readRange } from "../byte_source.ts";
// @ts-types="./tar_library.d.ts"
import {
  decode,
  decodeLongPath,
  decodePax,
  type TarHeader,
} from "./tar_library.js";

/** The unit of a tar archive. */
const BLOCK = 512;

/** The longest name or extended header, which is read into memory. */
const META_MAX = 1 << 20;

/** Where the type of an entry is in its header. */
const TYPEFLAG = 156;

/**
 * Sparse files of GNU tar: their type, "S", and where header and further blocks
 * say that another block follows.
 */
const SPARSE = { TYPE: 0x53, IN_HEADER: 482, IN_BLOCK: 504 } as const;

/** Attributes by extended headers: pax(1), and those of GNU tar. */
export type PaxRecords = Readonly<Record<string, string>>;

/** An entry, with what earlier headers say of it. */
export interface TarEntry {
  readonly header: TarHeader;
  readonly path: string;
  /** What a link names. */
  readonly target: string;
  readonly pax: PaxRecords;
  /** Whether its data lacks the holes of the file. */
  readonly isSparse: boolean;
  /** Where its data lies, and how much. */
  readonly start: number;
  readonly size: number;
}

/** What headers before an entry say of it. */
interface Preface {
  readonly path?: string;
  readonly target?: string;
  readonly pax: PaxRecords;
}

/**
 * Reads the headers of an archive, by ranges.
 *
 * @throws {UserError} If it is no tar archive, or ends before its data.
 */
export async function* tarEntries(
  source: ByteSource,
): AsyncGenerator<TarEntry> {
  let global: PaxRecords = {};
  let preface: Preface = { pax: {} };
  for (let at = 0; at < source.size;) {
    if (at + BLOCK > source.size) throw tooShort(source.size, at + BLOCK);
    const block = await readRange(source, at, BLOCK);
    const header = decodeHeader(block, at);
    // A block of zeroes ends the archive.
    if (header === null) return;
    const isMeta = isGlobal(header) || isPreface(header);
    const pax = isMeta ? {} : { ...global, ...preface.pax };
    const start = await skipSparseMap(source, block, at + BLOCK);
    const size = sizeOf(header, pax, at);
    if (start + size > source.size) throw tooShort(source.size, start + size);
    at = start + Math.ceil(size / BLOCK) * BLOCK;
    if (isGlobal(header)) {
      const data = await readMeta(source, start, size);
      global = { ...global, ...decodePax(data) };
    } else if (isPreface(header)) {
      const data = await readMeta(source, start, size);
      preface = { ...preface, ...readPreface(header, data) };
    } else {
      const isSparse = block[TYPEFLAG] === SPARSE.TYPE ||
        Object.keys(pax).some((key) => key.startsWith("GNU.sparse."));
      yield { ...entryOf(header, preface, pax), isSparse, start, size };
      preface = { pax: {} };
    }
  }
}

function decodeHeader(block: Uint8Array, at: number): TarHeader | null {
  try {
    return decode(block, "latin1", true);
  } catch (error) {
    throw new UserError(
      `Cannot read the tar archive: the header at ${at} is damaged; ` +
        "decompress the archive if it is compressed",
      { cause: error },
    );
  }
}

/** GNU tar puts more of the map of a sparse file between header and data. */
async function skipSparseMap(
  source: ByteSource,
  header: Uint8Array,
  start: number,
): Promise<number> {
  if (header[TYPEFLAG] !== SPARSE.TYPE) return start;
  let isMore = header[SPARSE.IN_HEADER] !== 0;
  while (isMore) {
    const block = await readRange(source, start, BLOCK);
    isMore = block[SPARSE.IN_BLOCK] !== 0;
    start += BLOCK;
  }
  return start;
}

/** How much data follows a header, in bytes. */
function sizeOf(header: TarHeader, pax: PaxRecords, at: number): number {
  // As GNU tar: a hard link has the size of its file, and no data.
  if (header.type === "link") return 0;
  const size = Number(pax["size"] ?? header.size);
  if (Number.isSafeInteger(size) && size >= 0) return size;
  throw new UserError(
    `Cannot read the tar archive: the header at ${at} has no valid size`,
  );
}

function isGlobal({ type }: TarHeader): boolean {
  return type === "pax-global-header";
}

function isPreface({ type }: TarHeader): boolean {
  return type === "pax-header" || type === "gnu-long-path" ||
    type === "gnu-long-link-path";
}

function readPreface({ type }: TarHeader, data: Uint8Array): Partial<Preface> {
  if (type === "pax-header") return { pax: decodePax(data) };
  const name = fromLatin1(decodeLongPath(data, "latin1"));
  return type === "gnu-long-path" ? { path: name } : { target: name };
}

function entryOf(
  header: TarHeader,
  { path, target }: Preface,
  pax: PaxRecords,
): Pick<TarEntry, "header" | "path" | "target" | "pax"> {
  return {
    header,
    path: pax["GNU.sparse.name"] ?? pax["path"] ?? path ??
      fromLatin1(header.name),
    target: pax["linkpath"] ?? target ?? fromLatin1(header.linkname ?? ""),
    pax,
  };
}

async function readMeta(
  source: ByteSource,
  start: number,
  size: number,
): Promise<Uint8Array> {
  if (size <= META_MAX) return await readRange(source, start, size);
  throw new UserError(
    `Cannot read the tar archive: the extended header at ${start} ` +
      `has ${size} bytes, more than ${META_MAX}`,
  );
}

function tooShort(size: number, needed: number): UserError {
  return new UserError(
    `Cannot read the tar archive: it has ${size} bytes, and its data ` +
      `ends at ${needed}; it may be incomplete`,
  );
}

/** A name whose bytes the library has returned as characters. */
function fromLatin1(text: string): string {
  return decodeName(Uint8Array.from(text, (char) => char.charCodeAt(0)));
}
