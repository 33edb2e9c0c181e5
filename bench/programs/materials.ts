import { quote } from "../servers/guard.ts";
import { runShell } from "./shell.ts";

const MIB = 1 << 20;
const CHUNK = 4 * MIB;
/** Size of the disk, and of the file that is copied to it. */
const DISK_MIB = 512;
/** Files of the source tree, and in how many directories. */
const FILES = 4000;
const DIRECTORIES = 200;

/** Files that the programs work on. */
export interface Materials {
  /** The image of the disk. */
  readonly disk: string;
  /** A file of the same size with other bytes. */
  readonly source: string;
  /** A source tree, as tar(1) writes it. */
  readonly archive: string;
  /** The image of a virtual machine's disk; `null` if there is none. */
  readonly guestDisk: string | null;
  /** The directory with its kernels. */
  readonly guest: string;
}

/**
 * Makes the files that the programs work on.
 *
 * @param directory Where they go.
 * @param guest Where test/guest/build has built a guest.
 * @param signal Cancels it.
 */
export async function makeMaterials(
  directory: string,
  guest: string,
  signal: AbortSignal,
): Promise<Materials> {
  const [disk, source] = ["disk.raw", "source"].map((name) =>
    `${directory}/${name}`
  ) as [string, string];
  for (const path of [disk, source]) writeRandom(path);
  const archive = `${directory}/tree.tar`;
  await writeTree(`${directory}/tree`, archive, signal);
  return {
    disk,
    source,
    archive,
    guest,
    guestDisk: await copyGuest(directory, guest, signal),
  };
}

/** Random bytes, since programs look for zeroes and leave them out. */
function writeRandom(path: string): void {
  using file = Deno.openSync(path, { write: true, createNew: true });
  const chunk = new Uint8Array(CHUNK);
  for (let at = 0; at < CHUNK; at += 65536) {
    crypto.getRandomValues(chunk.subarray(at, at + 65536));
  }
  for (let done = 0; done < DISK_MIB; done += CHUNK / MIB) {
    chunk[0] = done;
    for (let at = 0; at < CHUNK;) at += file.writeSync(chunk.subarray(at));
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
  directory: string,
  guest: string,
  signal: AbortSignal,
): Promise<string | null> {
  const root = `${guest}/root.ext4`;
  if (await Deno.stat(root).catch(() => null) === null) return null;
  const copy = `${directory}/guest.raw`;
  await runShell(
    `cp --sparse=always ${quote(root)} ${quote(copy)}
cd ${quote(directory)}
printf '#!/bin/sh\\n' >run
chmod 755 run
tar -cf tree.tar.job run`,
    { env: {}, limitMs: 60_000, signal },
  );
  return copy;
}
