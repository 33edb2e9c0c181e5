/**
 * Finding out what uses a mount, as far as this process can see: for messages to
 * the user. The exact test whether anything uses it is umount2(2).
 *
 * Nothing here accesses the mount itself, so no FUSE server is involved.
 *
 * @module
 */

import { loopUsers } from "./loop_users.ts";
import type { MountUser, MountUsers } from "./mount_users.ts";
import { type Mount, readMounts } from "./mountinfo.ts";
import { ProcessSearch } from "./process_users.ts";

/**
 * Finds out what uses a mount. Takes some milliseconds for a hundred open files;
 * the thread serves its event loop meanwhile.
 *
 * Not found are users inside the kernel, such as nfsd, and descriptors that are
 * in a socket's queue or registered with an io_uring.
 *
 * @param mount The mount.
 * @param isWanted Whether to go on.
 * @returns All that were found so far, twice: first without the processes that
 * have only mapped a file, which take the longest to find, then with them.
 */
export async function* findUsers(
  mount: Pick<Mount, "id" | "minor" | "mountPoint">,
  isWanted: () => boolean,
): AsyncGenerator<MountUsers> {
  const mounts = readMounts();
  const processes = new ProcessSearch(mount, mounts, isWanted);
  await processes.searchDescriptors();
  const others: MountUser[] = [
    ...loopUsers(mount.mountPoint, processes.mounts),
    ...mounts.filter(({ parent }) => parent === mount.id)
      .map(({ type, mountPoint }): MountUser => ({
        kind: "mount",
        name: `${type} mounted on ${mountPoint}`,
      })),
  ];
  const found = () => ({
    users: [...processes.users, ...others],
    hidden: processes.hidden,
  });
  yield found();
  // Last, because reading a process's mappings waits for its memory lock.
  await processes.searchMappings();
  yield found();
}
