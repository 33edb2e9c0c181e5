/**
 * What a file looks like, by its bytes, and for a piece of an image by its name.
 * This never decides how it is opened.
 *
 * @module
 */
import { UserError } from "../../base/user_error.ts";
import type { Backend } from "../backend.ts";
import { readFully } from "../read_fully.ts";
import type { FileService } from "../services.ts";
import { type KnownFormat, looksLike, MAGIC_BYTES } from "./known_formats.ts";
import { looksLikeArchive } from "./ova/looks_like_archive.ts";
import { hasNextPiece } from "./parts/has_next_piece.ts";
import { readFooter } from "./vhd/footer.ts";
import { DESCRIPTOR_START } from "./vmdk/constants.ts";
import { hasSeekTable, isZstd } from "./zst/seek_table.ts";

/**
 * Tells what a file looks like.
 *
 * @param file The file.
 * @param path Its path.
 * @param files Looks for a file beside it.
 * @returns `null` if it looks like none of the formats that are known.
 */
export async function recognise(
  file: Backend,
  path: string,
  files: FileService,
): Promise<KnownFormat | null> {
  const start = await startOf(file);
  return await formatOfStart(file, start) ??
    looksLike(start, await endOf(file)) ??
    await looksLikeVhd(file) ??
    (hasNextPiece(path, files) ? FIRST_PIECE : null);
}

/**
 * Tells what an image looks like by how it begins. Hardly anything else is read:
 * it may come from far away.
 *
 * @param image The image.
 * @returns `null` if it begins like none of the formats that are known.
 */
export async function recogniseStart(
  image: Backend,
): Promise<KnownFormat | null> {
  return await formatOfStart(image, await startOf(image));
}

async function formatOfStart(
  image: Backend,
  start: Uint8Array,
): Promise<KnownFormat | null> {
  return looksLike(start) ??
    looksLikeDescriptor(start) ??
    await looksLikeArchive(image, start) ??
    (isZstd(start) ? looksLikeZstd(await endOf(image)) : null);
}

const FIRST_PIECE: KnownFormat = {
  name: "parts",
  prefix: "parts:",
  kind: "the first piece of a split image",
};

async function startOf(file: Backend): Promise<Uint8Array> {
  const { size } = await file.stat();
  return await readPart(file, 0, Math.min(size, MAGIC_BYTES));
}

async function endOf(file: Backend): Promise<Uint8Array> {
  const { size } = await file.stat();
  const length = Math.min(size, MAGIC_BYTES);
  return await readPart(file, size - length, length);
}

/** Bytes of a file; none if they cannot be read. */
async function readPart(
  file: Backend,
  at: number,
  length: number,
): Promise<Uint8Array> {
  const bytes = new Uint8Array(length);
  const got = await readFully(file, at, bytes, 0, length);
  return bytes.subarray(0, Math.max(0, got));
}

function looksLikeDescriptor(start: Uint8Array): KnownFormat | null {
  const text = String.fromCharCode(...start);
  return DESCRIPTOR_START.test(text) ? { name: "VMDK", prefix: "vmdk:" } : null;
}

function looksLikeZstd(end: Uint8Array): KnownFormat {
  return hasSeekTable(end) ? { name: "zstd", prefix: "zst:" } : {
    name: "zstd",
    prefix: null,
    kind: "a zstd file without a table to seek by",
    advice:
      "unpack it with 'zstd -d', or make it seekable with 't2sz -r -s 1M'",
  };
}

/** A fixed VHD begins with the disk; others may have lost their start. */
async function looksLikeVhd(file: Backend): Promise<KnownFormat | null> {
  try {
    await readFooter(file, "");
    return { name: "VHD", prefix: "vhd:" };
  } catch (error) {
    if (error instanceof UserError) return null;
    throw error;
  }
}
