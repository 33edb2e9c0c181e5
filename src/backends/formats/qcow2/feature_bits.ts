import { ERRNO } from "../../../base/errno.ts";
import type { Answer, Backend } from "../../backend.ts";

/** Positions of `incompatible_features` and `autoclear_features`. */
const INCOMPATIBLE_FIELD = 72;
const AUTOCLEAR_FIELD = 88;

/**
 * Writes the incompatible features to the header of an image. The caller makes
 * them durable.
 *
 * @param file The image's file.
 * @param bits All of them.
 * @returns 0 or a negated errno.
 */
export function writeIncompatible(file: Backend, bits: bigint): Answer {
  return writeFeatures(file, INCOMPATIBLE_FIELD, bits);
}

/** Writes the autoclear features, in the same way. */
export function writeAutoclear(file: Backend, bits: bigint): Answer {
  return writeFeatures(file, AUTOCLEAR_FIELD, bits);
}

function writeFeatures(file: Backend, at: number, bits: bigint): Answer {
  const field = new DataView(new ArrayBuffer(8));
  field.setBigUint64(0, bits);
  const bytes = new Uint8Array(field.buffer);
  const put = file.write(at, bytes, 0, bytes.length);
  return typeof put === "number" ? resultOf(put) : put.then(resultOf);
}

function resultOf(put: number): number {
  if (put < 0) return put;
  return put === 8 ? 0 : -ERRNO.EIO;
}
