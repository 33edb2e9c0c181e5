/**
 * Archives, made byte by byte for tests.
 *
 * @module
 */
import { crc32, deflateRawSync } from "node:zlib";
import { encodeName } from "../../src/base/name_bytes.ts";
import { concat } from "../../src/protocol/bytes.ts";

/** An entry of a ZIP archive. */
export interface ZipEntry {
  readonly name: string;
  readonly data?: Uint8Array | string;
  /** Whether it is compressed. */
  readonly deflated?: boolean;
  /** Type and permissions. */
  readonly mode?: number;
  /** The checksum, if it is to be wrong. */
  readonly crc?: number;
  /** The compression method, if it is to be an unknown one. */
  readonly method?: number;
  /** The general purpose bit flags. */
  readonly flags?: number;
}

/** The 2nd of January 2020, as MS-DOS has it. */
const DOS_TIME = [0, 0, 0x22, 0x50] as const;

/** A ZIP archive. */
export function zip(entries: readonly ZipEntry[]): Uint8Array {
  const files: Uint8Array[] = [];
  const directory: Uint8Array[] = [];
  let offset = 0;
  for (const entry of entries) {
    const { deflated = false, mode = 0o100644, flags = 0x800 } = entry;
    const name = encodeName(entry.name);
    const data = bytesOf(entry.data ?? "");
    const stored = deflated ? deflateRawSync(data) : data;
    const common = concat([
      u16(flags, entry.method ?? (deflated ? 8 : 0)),
      Uint8Array.from(DOS_TIME),
      u32(entry.crc ?? crc32(data), stored.length, data.length),
      u16(name.length, 0),
    ]);
    files.push(u32(0x04034b50), u16(20), common, name, stored);
    directory.push(
      u32(0x02014b50),
      u16(3 << 8 | 20, 20),
      common,
      u16(0, 0, 0),
      u32(mode * 0x10000, offset),
      name,
    );
    offset += 30 + name.length + stored.length;
  }
  const central = concat(directory);
  const count = entries.length;
  return concat([
    ...files,
    central,
    u32(0x06054b50),
    u16(0, 0, count, count),
    u32(central.length, offset),
    u16(0),
  ]);
}

/** An entry of a tar archive. */
export interface TarEntry {
  readonly name: string;
  /** The character of its type; `0`, a plain file, if left out. */
  readonly type?: string;
  readonly data?: Uint8Array | string;
  readonly mode?: number;
  readonly target?: string;
  /** Major and minor number of a device. */
  readonly device?: readonly [number, number];
}

/** A tar archive: ustar. */
export function tar(entries: readonly TarEntry[]): Uint8Array {
  const blocks = entries.flatMap((entry) => {
    const data = bytesOf(entry.data ?? "");
    const rest = new Uint8Array(-data.length & 511);
    return [tarHeader(entry, data.length), data, rest];
  });
  return concat([...blocks, new Uint8Array(1024)]);
}

/** A record of an extended header, with its length in front. */
export function paxRecord(key: string, value: string): string {
  const rest = ` ${key}=${value}\n`;
  const length = new TextEncoder().encode(rest).length;
  const total = length + `${length}`.length;
  return `${total + (`${total}`.length - `${length}`.length)}${rest}`;
}

function tarHeader(entry: TarEntry, size: number): Uint8Array {
  const { type = "0", mode = 0o644, target = "", device = [0, 0] } = entry;
  const header = new Uint8Array(512);
  const put = (at: number, text: string) => header.set(encodeName(text), at);
  const octal = (at: number, width: number, value: number) =>
    put(at, value.toString(8).padStart(width - 1, "0"));
  put(0, entry.name);
  octal(100, 8, mode);
  octal(108, 8, 1000);
  octal(116, 8, 100);
  octal(124, 12, size);
  octal(136, 12, 1_600_000_000);
  put(148, "        ");
  put(156, type);
  put(157, target);
  put(257, "ustar\u000000");
  octal(329, 8, device[0]);
  octal(337, 8, device[1]);
  octal(148, 8, header.reduce((sum, byte) => sum + byte));
  return header;
}

function bytesOf(data: Uint8Array | string): Uint8Array {
  return typeof data === "string" ? new TextEncoder().encode(data) : data;
}

function u16(...values: number[]): Uint8Array {
  return new Uint8Array(Uint16Array.from(values).buffer);
}

function u32(...values: number[]): Uint8Array {
  return new Uint8Array(Uint32Array.from(values).buffer);
}
