import type { InitFlagName } from "../protocol/flags.ts";
import type { FileSystem } from "./file_system.ts";
import type { CacheOptions } from "./options.ts";

/**
 * The flags of INIT that every {@linkcode FileSystemHandler} relies on.
 *
 * @category Without mountFileSystem
 */
export const FILE_SYSTEM_FLAGS: readonly InitFlagName[] = [
  "AUTO_INVAL_DATA",
  "DO_READDIRPLUS",
  "READDIRPLUS_AUTO",
];

/**
 * The flags of INIT to request for a file system: without those for its locks,
 * the kernel locks files by itself.
 *
 * @category Without mountFileSystem
 */
export function initFlags<N extends object, H>(
  fs: FileSystem<N, H>,
  options: Pick<CacheOptions<N>, "writeback"> = {},
): readonly InitFlagName[] {
  const flags = [...FILE_SYSTEM_FLAGS];
  if (fs.lock !== undefined) flags.push("POSIX_LOCKS", "FLOCK_LOCKS");
  if (fs.ioctl !== undefined) flags.push("HAS_IOCTL_DIR");
  if (options.writeback === true) flags.push("WRITEBACK_CACHE");
  return flags;
}
