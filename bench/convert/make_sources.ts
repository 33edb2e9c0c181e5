/**
 * Makes the images that are converted.
 *
 * @module
 */
import { run } from "./run.ts";
import type { Source } from "./cells.ts";

const BLOCK = 1 << 20;
/** Bytes of the pieces of a sparse image, and how many there are at most. */
const PIECES = [4096, 16_384, 65_536, 262_144] as const;

/** How large the images are, in bytes. */
export interface SourceSizes {
  readonly size: number;
  /** Of the image that is compressed. */
  readonly files: number;
}

/**
 * Makes images.
 *
 * @param directory Where; their names are those of `SOURCES`.
 */
export async function makeSources(
  directory: string,
  wanted: ReadonlySet<Source>,
  { size, files }: SourceSizes,
): Promise<void> {
  for (const kind of ["full", "sparse"] as const) {
    const [raw, qcow2] = [`${kind}.img`, `${kind}.qcow2`] as const;
    if (!wanted.has(raw) && !wanted.has(qcow2)) continue;
    await (kind === "full" ? makeFull : makeSparse)(
      `${directory}/${raw}`,
      size,
    );
    const convert = ["convert", "-f", "raw", "-O", "qcow2", raw, qcow2];
    if (wanted.has(qcow2)) await run(directory, ["qemu-img", ...convert]);
    if (!wanted.has(raw)) await Deno.remove(`${directory}/${raw}`);
  }
  if (wanted.has("files.img")) {
    // The programs and libraries of this machine: what disks are full of.
    const tar = `tar -C / -c usr | head -c ${files} > files.img`;
    await run(directory, ["bash", "-c", tar]);
  }
}

/** Bytes that no compression and no search for zeroes makes less. */
async function makeFull(path: string, size: number): Promise<void> {
  using file = await Deno.create(path);
  for (let at = 0; at < size; at += BLOCK) {
    await file.write(noise(Math.min(BLOCK, size - at)));
  }
}

/** A quarter of it is data, in pieces of several sizes at random places. */
async function makeSparse(path: string, size: number): Promise<void> {
  using file = await Deno.create(path);
  await file.truncate(size);
  let written = 0;
  for (let i = 0; written < size / 4; i++) {
    const length = PIECES[i % PIECES.length]!;
    const at = Math.floor(Math.random() * (size - length) / 4096) * 4096;
    await file.seek(at, Deno.SeekMode.Start);
    await file.write(noise(length));
    written += length;
  }
}

function noise(length: number): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(length);
  for (let at = 0; at < length; at += 65_536) {
    crypto.getRandomValues(bytes.subarray(at, at + 65_536));
  }
  return bytes;
}
