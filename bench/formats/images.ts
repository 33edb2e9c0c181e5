/**
 * The images that are measured: one disk of words in several formats.
 *
 * @module
 */
import { writeText } from "../fio/write_text.ts";

const MIB = 1 << 20;
/** Where the only partition of the disk starts. */
const PARTITION_AT = MIB;
/** Pieces of the split image. */
const PIECES = 4;

/** Paths of images, all of which show the same disk. */
export interface FormatImages {
  /** The disk. It has one partition, which is all but its first MiB. */
  readonly raw: string;
  /** The first of its pieces. */
  readonly firstPiece: string;
  /** The disk as a streamOptimized VMDK. */
  readonly vmdk: string;
  /** Bytes of the partition. */
  readonly partitionSize: number;
}

/**
 * Makes the images.
 *
 * @param directory An empty directory.
 * @param size Bytes of the disk: a multiple of 4 MiB.
 * @param signal Cancels the work.
 */
export async function makeImages(
  directory: string,
  size: number,
  signal: AbortSignal,
): Promise<FormatImages> {
  const raw = `${directory}/disk.img`;
  await writeText(raw, size, signal);
  const firstPiece = `${directory}/piece.0`;
  await cut(raw, size / PIECES, `${directory}/piece.`);
  const vmdk = `${directory}/disk.vmdk`;
  const how = ["-O", "vmdk", "-o", "subformat=streamOptimized"];
  await run(signal, "qemu-img", "convert", "-f", "raw", ...how, raw, vmdk);
  return { raw, firstPiece, vmdk, partitionSize: size - PARTITION_AT };
}

/**
 * Writes a partition table of one entry.
 *
 * @param path The disk.
 * @param size Its bytes.
 */
export async function writePartition(
  path: string,
  size: number,
): Promise<void> {
  const sector = new Uint8Array(512);
  const view = new DataView(sector.buffer);
  sector[450] = 0x83;
  view.setUint32(454, PARTITION_AT / 512, true);
  view.setUint32(458, (size - PARTITION_AT) / 512, true);
  view.setUint16(510, 0xaa55, true);
  using file = await Deno.open(path, { write: true });
  await file.write(sector);
}

async function cut(path: string, bytes: number, stem: string): Promise<void> {
  const image = await Deno.readFile(path);
  for (let i = 0; i < PIECES; i++) {
    const piece = image.subarray(i * bytes, (i + 1) * bytes);
    await Deno.writeFile(`${stem}${i}`, piece);
  }
}

/**
 * Runs a program to its end.
 *
 * @throws {Error} If it fails.
 */
export async function run(
  signal: AbortSignal,
  program: string,
  ...args: string[]
): Promise<void> {
  const { success, stderr } = await new Deno.Command(program, {
    args,
    stdin: "null",
    stdout: "null",
    signal,
  }).output();
  if (success) return;
  const why = new TextDecoder().decode(stderr).trim();
  throw new Error(`${program} ${args.join(" ")} failed: ${why}`);
}
