import { type Guard, quote } from "./guard.ts";
import type { UringSetting } from "./servers.ts";

const PATH = "/sys/module/fuse/parameters/enable_uring";

/**
 * Runs something under a setting of the kernel, and restores what was set
 * before, also if the measurement is killed meanwhile.
 *
 * @param setting What to set; `null` to leave it as it is.
 * @param guard Restores it in the end.
 * @param body What is run: only what mounts, because a connection keeps the
 * transport that it began with.
 * @param path The setting's file.
 * @throws {Error} If it cannot be set, and what the body throws.
 */
export async function withUringSetting<T>(
  setting: UringSetting | null,
  guard: Guard,
  body: () => Promise<T>,
  path: string = PATH,
): Promise<T> {
  const before = setting === null ? null : await Deno.readTextFile(path);
  if (setting === null || before!.trim() === setting) return await body();
  const forget = await guard.add(`echo ${before!.trim()} >${quote(path)}`);
  try {
    await Deno.writeTextFile(path, setting);
    return await body();
  } finally {
    await Deno.writeTextFile(path, before!.trim());
    await forget();
  }
}
