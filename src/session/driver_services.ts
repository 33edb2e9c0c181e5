import type { FileIo, SocketCalls } from "../event/file_io.ts";
import { connectSocket } from "../linux/socket/connect_socket.ts";
import type { StreamMaker } from "../linux/socket/connected_socket.ts";
import { LinuxTlsClient } from "../linux/tls/tls_client.ts";
import { shutdownSocket } from "../linux/socket/socket.ts";
import type { DriverServices } from "../backends/services.ts";
import { LinuxBlockFile } from "../linux/io/block_file.ts";
import { createBlockFile } from "../linux/io/create_block_file.ts";
import {
  openBlockFile,
  realPathOf,
  reopenBlockFile,
} from "../linux/io/open_block_file.ts";
import { probeDirect } from "../linux/io/direct_probe.ts";
import { lockImage, lockImageReadOnly } from "../linux/io/image_lock.ts";
import {
  closeDescriptor,
  pathOfDescriptor,
} from "../linux/syscall/descriptor.ts";
import { absolutePath, readLink } from "../linux/syscall/paths.ts";

const SOCKET_CALLS: SocketCalls = {
  shutdown: shutdownSocket,
  close: closeDescriptor,
};

/** The options of {@linkcode driverServices}. */
export interface DriverServicesOptions {
  /** Makes asynchronous file I/O of this thread; file I/O blocks if left out. */
  readonly fileIo?: () => FileIo | null;
  /** As that of `SessionOptions`; no if left out. */
  readonly insecurePath?: boolean;
  /** As that of `DriverServices`; no user is told if left out. */
  readonly tell?: (text: string) => void;
}

/**
 * The services of this thread for image drivers: system calls of Linux.
 *
 * @param options What differs between threads and sessions.
 */
export function driverServices(
  { fileIo = () => null, insecurePath = false, tell = () => {} }:
    DriverServicesOptions,
): DriverServices {
  const makeStream: StreamMaker = (fd, owner) =>
    fileIo()?.stream?.(fd, owner, SOCKET_CALLS) ?? null;
  return {
    sockets: {
      connect: (address, name, limitMs) =>
        connectSocket(address, name, limitMs, makeStream),
      tls: (files, name) => new LinuxTlsClient(files, name),
    },
    files: {
      open: (path, options) =>
        openBlockFile(path, { ...options, insecurePath }),
      create: (path) => createBlockFile(path, insecurePath),
      wrap: (fd) => new LinuxBlockFile(fd),
      reopen: reopenBlockFile,
      probeDirect: ({ fd }, length) => probeDirect(fd, length),
      lock: ({ fd }, name, writable) => void lockImage(fd, { name, writable }),
      releaseWriteLock: ({ fd }, name) => lockImageReadOnly(fd, name),
      absolutePath,
      realPath: (path) => realPathOf(path, insecurePath),
      pathOf: (fd) => readLink(pathOfDescriptor(fd)),
    },
    fileIo,
    tell,
  };
}
