import type { FileIo } from "../event/file_io.ts";
import type { DriverServices } from "../backends/services.ts";
import {
  LinuxBlockFile,
  openBlockFile,
  reopenBlockFile,
} from "../linux/io/block_file.ts";
import { lockImage, lockImageReadOnly } from "../linux/io/image_lock.ts";
import { absolutePath } from "../linux/syscall/paths.ts";

/**
 * The services of this thread for image drivers: system calls of Linux.
 *
 * @param fileIo Makes asynchronous file I/O of this thread; `null` where file I/O
 * blocks.
 */
export function driverServices(fileIo: () => FileIo | null): DriverServices {
  return {
    files: {
      open: openBlockFile,
      wrap: (fd) => new LinuxBlockFile(fd),
      reopen: reopenBlockFile,
      lock: ({ fd }, name, writable) => void lockImage(fd, { name, writable }),
      releaseWriteLock: ({ fd }, name) => lockImageReadOnly(fd, name),
      absolutePath,
    },
    fileIo,
  };
}
