/** The header of an entry of a tar archive. */
export interface TarHeader {
  readonly name: string;
  readonly mode: number;
  readonly uid: number;
  readonly gid: number;
  /** The number of bytes that follow, which are filled up to a whole block. */
  readonly size: number;
  readonly mtime: Date;
  /** `null` for a type that the library does not know. */
  readonly type: string | null;
  readonly linkname: string | null;
  readonly devmajor: number;
  readonly devminor: number;
}

/**
 * Reads a header.
 *
 * @returns `null` for a block of zeroes.
 * @throws {Error} If its checksum is wrong.
 */
export function decode(
  block: Uint8Array,
  encoding: "latin1",
  allowUnknownFormat: boolean,
): TarHeader | null;

/** Reads the extended header that gives the next entries other attributes. */
export function decodePax(data: Uint8Array): Record<string, string>;

/** Reads the name of the next entry. */
export function decodeLongPath(data: Uint8Array, encoding: "latin1"): string;
