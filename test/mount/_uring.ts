/**
 * Tests of FUSE over io_uring, with the kernel's setting switched on.
 *
 * @module
 */
import { kernelTest } from "../requirements.ts";
import { inDirectory } from "./_harness.ts";

const PARAMETER = "/sys/module/fuse/parameters/enable_uring";

/** Runs a test with the kernel's setting changed, then restores it. */
export async function withSetting(
  value: "Y" | "N",
  body: () => Promise<void>,
): Promise<void> {
  const before = await Deno.readTextFile(PARAMETER);
  try {
    await Deno.writeTextFile(PARAMETER, value);
    await body();
  } finally {
    await Deno.writeTextFile(PARAMETER, before);
  }
}

/**
 * Registers a test with FUSE over io_uring switched on or off in the kernel, in
 * a directory of its own.
 *
 * @param name What is tested.
 * @param body The test; receives the directory's path.
 * @param programs Programs that it starts besides coreutils.
 * @param setting The kernel's setting.
 */
export function uringTest(
  name: string,
  body: (directory: string) => Promise<void>,
  programs: readonly string[] = [],
  setting: "Y" | "N" = "Y",
): void {
  if (!hasSetting()) return;
  const run = () => withSetting(setting, () => inDirectory(body));
  kernelTest(name, run, programs);
}

/** Whether this kernel has the setting at all. */
export function hasSetting(): boolean {
  try {
    return Deno.statSync(PARAMETER).isFile;
  } catch {
    return false;
  }
}
