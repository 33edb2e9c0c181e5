import type { Backend } from "../../backend.ts";
import { HEADER_V2 } from "./constants.ts";
import { clusterSizeOf, parseHeader, type Qcow2Header } from "./header.ts";
import { readFully } from "../../read_fully.ts";
import { refusal } from "./refusal.ts";

/**
 * Reads the header of an image.
 *
 * @param file The image's file.
 * @param name Its name in errors.
 * @throws {UserError} If it cannot be read, or is no header that this program
 * supports.
 */
export async function readHeader(
  file: Backend,
  name: string,
): Promise<Qcow2Header> {
  const start = await readStart(file, HEADER_V2, name);
  const clusterSize = clusterSizeOf(start, name);
  return parseHeader(await readStart(file, clusterSize, name), name);
}

/** The first bytes of a file, fewer if it is shorter. */
async function readStart(
  file: Backend,
  length: number,
  name: string,
): Promise<Uint8Array<ArrayBuffer>> {
  const bytes = new Uint8Array(length);
  const got = await readFully(file, 0, bytes, 0, length);
  if (got < 0) throw refusal(name, "its header cannot be read");
  return bytes.subarray(0, got);
}
