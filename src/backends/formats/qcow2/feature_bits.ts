import { ERRNO } from "../../../base/errno.ts";
import type { Answer, Backend } from "../../backend.ts";

/** Position of `incompatible_features`. */
const INCOMPATIBLE_FIELD = 72;

/**
 * Writes the incompatible features to the header of an image. The caller makes
 * them durable.
 *
 * @param file The image's file.
 * @param bits All of them.
 * @returns 0 or a negated errno.
 */
export function writeIncompatible(file: Backend, bits: bigint): Answer {
  const field = new DataView(new ArrayBuffer(8));
  field.setBigUint64(0, bits);
  const bytes = new Uint8Array(field.buffer);
  const put = file.write(INCOMPATIBLE_FIELD, bytes, 0, bytes.length);
  return typeof put === "number" ? resultOf(put) : put.then(resultOf);
}

function resultOf(put: number): number {
  if (put < 0) return put;
  return put === 8 ? 0 : -ERRNO.EIO;
}
