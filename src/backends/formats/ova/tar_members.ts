/**
 * The members of a tar archive, by their headers alone: ustar, and what GNU tar
 * and pax(1) add for long names and large sizes.
 *
 * @module
 */
import { decodeName } from "../../../base/name_bytes.ts";
import type { Backend } from "../../backend.ts";
import { readExactly } from "../../read_fully.ts";
import { SIZE_MAX } from "../../size.ts";
import { refusal } from "./refusal.ts";

/** The unit of a tar archive. */
const BLOCK = 512;
/** Members that are looked at, if no number is given. */
const MEMBERS_MAX = 10_000;
/** Bytes of a header that gives the next member another name or size. */
const META_MAX = 1 << 16;

/** A regular file of an archive. Bytes. */
export interface TarMember {
  readonly path: string;
  /** Where its bytes start in the archive. */
  readonly offset: number;
  readonly size: number;
}

/** What headers before a member say of it. */
interface Preface {
  readonly path?: string;
  readonly size?: number;
}

/**
 * Reads the headers of an archive, one by one.
 *
 * @param file The archive.
 * @param name Its name in errors.
 * @param most How many headers are looked at.
 * @throws {UserError} If it is no tar archive, or ends before its data.
 */
export async function tarMembers(
  file: Backend,
  name: string,
  most: number = MEMBERS_MAX,
): Promise<TarMember[]> {
  const { size: end } = await file.stat();
  const members: TarMember[] = [];
  let preface: Preface = {};
  let at = 0;
  for (let i = 0; i < most && at + BLOCK <= end; i++) {
    const block = await readBytes(file, at, BLOCK, name);
    if (block.every((byte) => byte === 0)) return members;
    if (!isHeader(block)) {
      throw refusal(name, `the tar header at byte ${at} is damaged`);
    }
    const type = String.fromCharCode(block[156]!);
    const isMeta = type === "x" || type === "L" || type === "g" || type === "K";
    const size = isMeta ? sizeOf(block) : preface.size ?? sizeOf(block);
    const offset = at + BLOCK;
    if (size === null || size > end - offset) {
      const advice = "copy it once more: its end is missing";
      throw refusal(name, `its member at byte ${at} is not whole`, advice);
    }
    at = offset + Math.ceil(size / BLOCK) * BLOCK;
    if (isMeta) {
      if (type !== "x" && type !== "L") continue;
      if (size > META_MAX) throw refusal(name, "a name in it is too long");
      const data = await readBytes(file, offset, size, name);
      preface = { ...preface, ...readPreface(type, data) };
      continue;
    }
    if (type === "0" || type === "\0" || type === "7") {
      members.push({ path: preface.path ?? pathOf(block), offset, size });
    }
    preface = {};
  }
  if (members.length > 0) return members;
  throw refusal(name, "it is no tar archive", "name the disk in it by itself");
}

async function readBytes(
  file: Backend,
  at: number,
  length: number,
  name: string,
): Promise<Uint8Array<ArrayBuffer>> {
  const bytes = await readExactly(file, at, length);
  if (bytes !== null) return bytes;
  throw refusal(name, `its bytes at ${at} cannot be read`);
}

/** Whether the checksum of a header is right. */
export function isHeader(block: Uint8Array): boolean {
  let sum = 0;
  for (const [i, byte] of block.entries()) {
    sum += i >= 148 && i < 156 ? 0x20 : byte;
  }
  return numberOf(block.subarray(148, 156)) === sum;
}

function sizeOf(block: Uint8Array): number | null {
  return numberOf(block.subarray(124, 136));
}

/** An octal number, or one of GNU tar in base 256; `null` if it is neither. */
function numberOf(field: Uint8Array): number | null {
  if (field[0] === 0x80) {
    const value = field.subarray(1).reduce((sum, byte) => sum * 256 + byte, 0);
    return value <= SIZE_MAX ? value : null;
  }
  const text = textOf(field).trim();
  return /^[0-7]+$/.test(text) ? parseInt(text, 8) : null;
}

/** The name in a header, with the prefix that POSIX puts elsewhere. */
function pathOf(block: Uint8Array): string {
  const path = textOf(block.subarray(0, 100));
  const isPosix = textOf(block.subarray(257, 263)) === "ustar";
  const prefix = isPosix ? textOf(block.subarray(345, 500)) : "";
  return prefix === "" ? path : `${prefix}/${path}`;
}

/** A text that ends with a NUL, or with its field. */
function textOf(field: Uint8Array): string {
  const end = field.indexOf(0);
  return decodeName(field.slice(0, end < 0 ? field.length : end));
}

/** Records such as `25 path=disk.vmdk` and a newline; or a long name. */
function readPreface(type: string, data: Uint8Array): Preface {
  if (type === "L") return { path: textOf(data) };
  let preface: Preface = {};
  for (const line of decodeName(data).split("\n")) {
    const [, key, value] = /^\d+ (path|size)=(.*)$/s.exec(line) ?? [];
    if (key === "path") preface = { ...preface, path: value! };
    const size = Number(value);
    if (key === "size" && Number.isSafeInteger(size) && size >= 0) {
      preface = { ...preface, size };
    }
  }
  return preface;
}
