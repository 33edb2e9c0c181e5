/**
 * File systems on the simulated kernel, for tests.
 *
 * @module
 */
import { concat } from "../../src/protocol/bytes.ts";
import { assertRejects } from "@std/assert";
import { type ErrnoName, errnoName } from "../../src/base/errno.ts";
import { O } from "../../src/base/file_flags.ts";
import { decodeName } from "../../src/base/name_bytes.ts";
import type { FileSystem } from "../../src/filesystem/file_system.ts";
import { SimError } from "../../sim/kernel/call.ts";
import { simulate, type TreeClient } from "../../sim/mod.ts";

/** Uses a file system on a simulated kernel. */
export async function using<N extends object, H>(
  fs: FileSystem<N, H>,
  use: (client: TreeClient) => Promise<void>,
): Promise<void> {
  await using simulation = await simulate(fs);
  await use(simulation.client());
}

/** All bytes of a file. */
export async function readFile(
  client: TreeClient,
  path: string,
): Promise<Uint8Array> {
  const file = await client.open(path);
  try {
    const chunks: Uint8Array[] = [];
    for (let at = 0;;) {
      const chunk = new Uint8Array(100_000);
      const read = await file.pread(chunk, at);
      if (read === 0) return concat(chunks);
      chunks.push(chunk.subarray(0, read));
      at += read;
    }
  } finally {
    await file.close();
  }
}

/** The text of a file. */
export async function readText(
  client: TreeClient,
  path: string,
): Promise<string> {
  return new TextDecoder().decode(await readFile(client, path));
}

/** Makes a file, or replaces what it holds. */
export async function writeText(
  client: TreeClient,
  path: string,
  text: string,
): Promise<void> {
  const file = await client.open(path, O.CREAT | O.TRUNC | O.WRONLY);
  await file.pwrite(new TextEncoder().encode(text), 0);
  await file.close();
}

/** The names of a directory, sorted, without the dots. */
export async function namesOf(
  client: TreeClient,
  path: string,
): Promise<string[]> {
  const directory = await client.opendir(path);
  const names = (await directory.list()).map(({ name }) => nameOf(name));
  directory.close();
  return names.filter((name) => !/^\.\.?$/.test(name)).sort();
}

/** The error number that a call fails with. */
export async function refusal(
  call: () => Promise<unknown>,
): Promise<ErrnoName> {
  return errnoName((await assertRejects(call, SimError)).errno) as ErrnoName;
}

/** A name as file systems have it: the simulator gives bytes if not UTF-8. */
function nameOf(name: string | Uint8Array): string {
  return typeof name === "string" ? name : decodeName(name.slice());
}
