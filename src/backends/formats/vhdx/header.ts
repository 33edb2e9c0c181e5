/**
 * The headers of a VHDX image: [MS-VHDX] 2.2. There are two, which are written
 * in turn.
 *
 * @module
 */
import type { Backend } from "../../backend.ts";
import { uuidOf } from "../../uuid.ts";
import { refusal } from "./refusal.ts";
import {
  isSound,
  MIB,
  numberAt,
  readStructure,
  signatureOf,
  type Structure,
} from "./structure.ts";

const IDENTIFIER = "vhdxfile";
const HEADERS_AT = [64 << 10, 128 << 10] as const;
const HEADER_BYTES = 4096;
const NO_LOG = "00000000-0000-0000-0000-000000000000";

/** A valid header. Plain data; sizes and positions in bytes. */
export interface VhdxHeader {
  /** Changes whenever the data of the disk do. */
  readonly dataWriteId: string;
  /** The id that entries of the log have; `null` if the log is empty. */
  readonly logId: string | null;
  readonly logOffset: number;
  readonly logLength: number;
}

/**
 * Reads the header that counts: the sound one with the greater number.
 *
 * @param file The image's file.
 * @param name Its name in errors.
 * @throws {UserError} If none is sound, or it makes no sense.
 */
export async function readHeader(
  file: Backend,
  name: string,
): Promise<VhdxHeader> {
  const start = await readStructure(file, 0, 8, name);
  if (signatureOf(start.bytes, 0, 8) !== IDENTIFIER) {
    const advice = "name its format, or leave the prefix out if it is raw";
    throw refusal(name, "it does not begin like a VHDX image", advice);
  }
  const sound: Structure[] = [];
  for (const at of HEADERS_AT) {
    const header = await readStructure(file, at, HEADER_BYTES, name);
    if (isSound(header, "head")) sound.push(header);
  }
  const [first, second] = sound;
  if (first === undefined) {
    throw refusal(name, "the checks of both of its headers are wrong");
  }
  if (second === undefined) return parse(first, name);
  const order = sequenceOf(second) - sequenceOf(first);
  if (order === 0n && !first.bytes.every((b, i) => b === second.bytes[i])) {
    throw refusal(name, "its two headers have the same number and differ");
  }
  return parse(order > 0n ? second : first, name);
}

function sequenceOf({ view }: Structure): bigint {
  return view.getBigUint64(8, true);
}

function parse(header: Structure, name: string): VhdxHeader {
  const { bytes, view } = header;
  const version = view.getUint16(66, true);
  const logVersion = view.getUint16(64, true);
  if (version !== 1 || logVersion !== 0) {
    const why = `it has version ${version}, and its log ${logVersion}`;
    throw refusal(name, why, "convert it with 'qemu-img convert'");
  }
  const logId = uuidOf(bytes, 48);
  const logLength = view.getUint32(68, true);
  const logOffset = numberAt(header, 72);
  const isPlaced = logOffset !== null && logOffset >= MIB &&
    logOffset % MIB === 0 && logLength > 0 && logLength % MIB === 0;
  if (!isPlaced) {
    throw refusal(
      name,
      `its log of ${logLength} bytes is at byte ${view.getBigUint64(72, true)}`,
    );
  }
  return {
    dataWriteId: uuidOf(bytes, 32),
    logId: logId === NO_LOG ? null : logId,
    logOffset,
    logLength,
  };
}
