import type { FileSystem } from "../../filesystem/file_system.ts";
import { OverlayFileSystem } from "./overlay_file_system.ts";

/** Methods of an overlay that the upper file system must have, or one of them. */
const NEEDED: readonly (readonly (keyof FileSystem<object>)[])[] = [
  ["create", "mknod"],
  ["mkdir", "mknod"],
  ["mknod"],
  ["symlink"],
  ["link"],
  ["unlink"],
  ["rmdir"],
  ["rename"],
  ["setattr"],
  ["write"],
  ["fallocate"],
  ["setxattr"],
  ["removexattr"],
];

/**
 * A file system that can be changed, over one that stays as it is. Changes go to
 * the upper one: a file of the lower one is copied there before it is changed,
 * and what is removed is marked there.
 *
 * - The marks are files whose names begin with `.wh.`, as in the layers of
 *   container images. The overlay does not show such names, and refuses them with
 *   EPERM.
 * - A directory of the lower file system cannot be renamed (EXDEV): mv(1) copies
 *   it. Hard links of the lower one are files of their own.
 * - While it is in use, neither of the two may be changed in another way.
 * - If the upper file system cannot change anything, neither can the overlay: so
 *   it shows two trees that are only read as one.
 *
 * @example An archive that can be written to
 * ```ts ignore
 * import { fromNodeFs, mountFileSystem, overlay } from "@mqfuse/mqfuse/fs";
 * import { fromZip } from "@mqfuse/mqfuse/fs/zip";
 * import fs from "node:fs";
 *
 * const archive = await fromZip(await fs.openAsBlob("photos.zip"));
 * const changes = fromNodeFs(fs, { root: "/var/lib/photos" });
 * await mountFileSystem(overlay(archive, changes), "mnt", { signals: true });
 * ```
 *
 * @example A tree over another one
 * ```ts
 * import { fromEntries, overlay } from "@mqfuse/mqfuse/fs";
 * import { simulate } from "@mqfuse/mqfuse/sim";
 * import { assertEquals } from "@std/assert";
 *
 * const lower = fromEntries({ etc: { a: "1", b: "2" } });
 * const upper = fromEntries({ etc: { b: "new", ".wh.a": "" } });
 *
 * await using simulation = await simulate(overlay(lower, upper));
 * const directory = await simulation.client().opendir("etc");
 * const names = (await directory.list()).map(({ name }) => name);
 * directory.close();
 * assertEquals(names, [".", "..", "b"]);
 * ```
 *
 * @param lower What is below.
 * @param upper What is above, and changed.
 * @category Trees
 */
export function overlay<L extends object, U extends object, HL, HU>(
  lower: FileSystem<L, HL>,
  upper: FileSystem<U, HU>,
): FileSystem<object> {
  const made = new OverlayFileSystem(
    lower as unknown as FileSystem<object>,
    upper as unknown as FileSystem<object>,
  );
  for (const methods of NEEDED) {
    if (methods.some((method) => upper[method] !== undefined)) continue;
    Object.defineProperty(made, methods[0]!, { value: undefined });
  }
  return made as unknown as FileSystem<object>;
}
