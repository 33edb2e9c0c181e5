/**
 * The checklist that QEMU's FUSE export is held to by QEMU's own tests, one
 * test an item, with QEMU's tools as clients.
 *
 * @module
 */
import { kernelTest } from "../requirements.ts";
import { inDirectory, must, run } from "./_harness.ts";

export * from "./_harness.ts";

/** Bytes in a mebibyte. */
export const MIB = 1 << 20;

/**
 * Registers the test of one item, in a directory of its own.
 *
 * @param number Which item of the checklist.
 * @param name What it asks for.
 * @param body The test; gets the directory.
 * @param programs What it starts besides coreutils.
 */
export function item(
  number: number,
  name: string,
  body: (directory: string) => Promise<void>,
  programs: readonly string[] = [],
): void {
  const title = `checklist ${String(number).padStart(2, "0")}: ${name}`;
  kernelTest(title, () => inDirectory(body), programs);
}

/** Whether two raw images are the same to qemu-img. */
export async function assertSame(a: string, b: string): Promise<void> {
  await must("qemu-img", "compare", "-f", "raw", "-F", "raw", "-U", a, b);
}

/** Runs commands of qemu-io on a raw image; what it printed. */
export async function qemuIo(
  path: string,
  ...commands: string[]
): Promise<string> {
  const args = commands.flatMap((command) => ["-c", command]);
  const { stdout, stderr } = await run("qemu-io", "-f", "raw", ...args, path);
  return stdout + stderr;
}

/** The length of a file in bytes, as a client sees it. */
export async function sizeOf(path: string): Promise<number> {
  return Number(await must("stat", "-c", "%s", path));
}

/** The permission bits of a file, as a client sees them. */
export async function modeOf(path: string): Promise<string> {
  return await must("stat", "-c", "%a", path);
}

/** Bytes that a file takes on its medium, as a client sees them. */
export async function allocatedOf(path: string): Promise<number> {
  return Number(await must("stat", "-c", "%b", path)) * 512;
}
