import { quote } from "../servers/guard.ts";
import type { Place } from "./programs.ts";
import { runShell } from "./shell.ts";

const MIB = 1 << 20;
const CHUNK = 4 * MIB;
/** Greatest size of the disk, and of the file that is copied to it. */
const DISK_MAX = 512 * MIB;
/** Files of the source tree, and in how many directories. */
const FILES = 4000;
const DIRECTORIES = 200;

/** Files that the programs work on; those that none needs do not exist. */
export interface Materials {
  /** The image of the disk. */
  readonly disk: string;
  /** A file of the same size with other bytes. */
  readonly source: string;
  /** A source tree, as tar(1) writes it. */
  readonly archive: string;
  /** The image of a virtual machine's disk. */
  readonly guestDisk: string;
  /** The directory with its kernels. */
  readonly guest: string;
}

/** The size of the disk where images have a size: both in bytes. */
export function diskSize(size: number): number {
  return Math.min(size, DISK_MAX);
}

/**
 * Makes the files that programs work on.
 *
 * @param places Where the programs run.
 * @param options Where the files go, where test/guest/build has built a guest,
 * the size of images, and a signal that cancels it.
 */
export async function makeMaterials(
  places: ReadonlySet<Place>,
  options: {
    readonly directory: string;
    readonly guest: string;
    readonly size: number;
    readonly signal: AbortSignal;
  },
): Promise<Materials> {
  const { directory, guest, signal } = options;
  const size = diskSize(options.size);
  const [disk, source] = ["disk.raw", "source"].map((name) =>
    `${directory}/${name}`
  ) as [string, string];
  const archive = `${directory}/tree.tar`;
  const guestDisk = `${directory}/guest.raw`;
  if (places.has("file")) writeRandom(source, size);
  if (places.has("file") || places.has("loop")) writeRandom(disk, size);
  if (places.has("loop")) {
    await writeTree(`${directory}/tree`, archive, signal);
  }
  if (places.has("guest")) {
    await copyGuest(guest, { directory, copy: guestDisk, signal });
  }
  return { disk, source, archive, guestDisk, guest };
}

/** Random bytes, since programs look for zeroes and leave them out. */
function writeRandom(path: string, size: number): void {
  using file = Deno.openSync(path, { write: true, createNew: true });
  const chunk = new Uint8Array(CHUNK);
  for (let at = 0; at < CHUNK; at += 65536) {
    crypto.getRandomValues(chunk.subarray(at, at + 65536));
  }
  for (let done = 0; done < size; done += CHUNK) {
    chunk[0] = done / CHUNK;
    const part = chunk.subarray(0, size - done);
    for (let at = 0; at < part.length;) at += file.writeSync(part.subarray(at));
  }
}

/** Most files of a source tree are small: 1 to 64 KiB, evenly by magnitude. */
async function writeTree(
  tree: string,
  archive: string,
  signal: AbortSignal,
): Promise<void> {
  const text = new Uint8Array(64 << 10);
  crypto.getRandomValues(text);
  for (let i = 0; i < FILES; i++) {
    const directory = `${tree}/${i % DIRECTORIES % 10}/${i % DIRECTORIES}`;
    if (i < DIRECTORIES) await Deno.mkdir(directory, { recursive: true });
    const size = Math.round(1024 * 64 ** ((i * 0.618034) % 1));
    await Deno.writeFile(`${directory}/${i}.ts`, text.subarray(0, size));
  }
  await runShell(
    `tar -cf ${quote(archive)} -C ${quote(tree)} . && rm -r ${quote(tree)}`,
    { env: {}, limitMs: 60_000, signal },
  );
}

/** The guest's disk, and the job that it does once it has booted: nothing. */
async function copyGuest(
  guest: string,
  { directory, copy, signal }: {
    directory: string;
    copy: string;
    signal: AbortSignal;
  },
): Promise<void> {
  await runShell(
    `cp --sparse=always ${quote(`${guest}/root.ext4`)} ${quote(copy)}
cd ${quote(directory)}
printf '#!/bin/sh\\n' >run
chmod 755 run
tar -cf tree.tar.job run`,
    { env: {}, limitMs: 60_000, signal },
  );
}
