/**
 * Fixtures of the tests of src/linux: temporary directories, a mount that cannot
 * outlive its test, and a minimal server.
 *
 * @module
 */

import type { FuseDevice } from "../../src/queue/fuse_device.ts";
import { openFuseDevice } from "../../src/linux/fuse/fuse_device.ts";
import type { FuseMount } from "../../src/linux/mount/fuse_mount.ts";
import {
  mountBySyscall,
  type MountOptions,
} from "../../src/linux/mount/mount_by_syscall.ts";

const LONGEST_TEST_S = 20;

/** The arguments of a test on a real mount. */
export interface Mounted {
  /** The mount point. */
  path: string;
  /** The first descriptor; INIT has not been read. */
  device: FuseDevice;
  /** The mount. */
  mount: FuseMount;
}

/** Runs a test with its own temporary directory. */
export async function inTemporaryDirectory(
  body: (directory: string) => void | Promise<void>,
): Promise<void> {
  const made = await Deno.makeTempDir({ prefix: "mqfuse_linux_" });
  const directory = await Deno.realPath(made);
  try {
    await body(directory);
  } finally {
    await Deno.remove(directory, { recursive: true });
  }
}

/** Usual mount options for a file. */
export function fileMount(fd: number, mountpoint: string): MountOptions {
  return {
    fd,
    mountpoint,
    source: "a disk.img",
    rootMode: 0o100644,
    readOnly: false,
    allowOther: false,
    uid: 0,
    gid: 0,
    maxRead: 1 << 20,
  };
}

/**
 * Runs a test on a mounted file. Another process unmounts it if the test takes too
 * long or dies, because this process may hang then.
 */
export async function onMountedFile(
  body: (mounted: Mounted) => void | Promise<void>,
): Promise<void> {
  await inTemporaryDirectory(async (directory) => {
    const path = `${directory}/disk image`;
    await Deno.writeTextFile(path, "underneath");
    const endGuard = await guard(path);
    const device = openFuseDevice();
    try {
      const mount = mountBySyscall(fileMount(device.fd, path));
      try {
        await body({ path, device, mount });
      } finally {
        mount.unmount();
      }
    } finally {
      device.close();
      await endGuard();
    }
  });
}

/** Starts a process that unmounts a path unless it is ended in time. */
export async function guard(path: string): Promise<() => Promise<void>> {
  const script = `timeout ${LONGEST_TEST_S} grep -q done || umount -f -l "$1"`;
  const watcher = new Deno.Command("sh", {
    args: ["-c", script, "sh", path],
    stdin: "piped",
    stdout: "null",
    stderr: "null",
  }).spawn();
  const writer = watcher.stdin.getWriter();
  await writer.ready;
  return async () => {
    try {
      await writer.write(new TextEncoder().encode("done\n"));
      await writer.close();
    } catch (cause) {
      const text = `${path} was unmounted by force after ${LONGEST_TEST_S} s`;
      throw new Error(text, { cause });
    } finally {
      await watcher.status;
    }
  };
}

/** Runs a program; returns its exit code and its output. */
export async function run(
  program: string,
  ...args: string[]
): Promise<{ code: number; text: string }> {
  const output = await new Deno.Command(program, {
    args,
    env: { LC_ALL: "C" },
  }).output();
  const decoder = new TextDecoder();
  return {
    code: output.code,
    text: decoder.decode(output.stdout) + decoder.decode(output.stderr),
  };
}

/** A buffer for any request. */
export function requestBuffer(): Uint8Array<ArrayBuffer> {
  return new Uint8Array(80 + (1 << 20));
}

/** Reads INIT and answers it with 7.31 and minimal capabilities. */
export function answerInit(device: FuseDevice): void {
  const request = requestBuffer();
  const length = device.read(request);
  const view = new DataView(request.buffer);
  if (length < 56 || view.getUint32(4, true) !== 26) {
    throw new Error(`INIT expected, ${length} came`);
  }
  const body = new DataView(new ArrayBuffer(64));
  body.setUint32(0, 7, true);
  body.setUint32(4, 31, true);
  body.setUint32(20, 65536, true); // max_write
  body.setUint32(24, 1, true); // time_gran
  reply(device, view.getBigUint64(8, true), 0, new Uint8Array(body.buffer));
}

/** Answers the next request: GETATTR with a size, others with ENOSYS. */
export function answerGetattr(device: FuseDevice, size: bigint): void {
  const request = requestBuffer();
  const length = device.read(request);
  if (length < 0) throw new Error(`read gave ${length}`);
  answer(device, new DataView(request.buffer), size);
}

/** Answers every GETATTR until the mount is gone, without blocking. */
export async function answerUntilUnmounted(device: FuseDevice): Promise<void> {
  const request = requestBuffer();
  device.setBlocking(false);
  for (;;) {
    await device.readable();
    const length = device.read(request);
    if (length === -19) return;
    if (length > 0) answer(device, new DataView(request.buffer), 0n);
  }
}

function answer(device: FuseDevice, request: DataView, size: bigint): void {
  const unique = request.getBigUint64(8, true);
  if (request.getUint32(4, true) !== 3) {
    reply(device, unique, -38, new Uint8Array());
    return;
  }
  const body = new DataView(new ArrayBuffer(104));
  body.setBigUint64(16, 1n, true); // ino
  body.setBigUint64(24, size, true);
  body.setUint32(76, 0o100644, true);
  body.setUint32(80, 1, true); // nlink
  reply(device, unique, 0, new Uint8Array(body.buffer));
}

/** Writes a reply. */
export function reply(
  device: FuseDevice,
  unique: bigint,
  error: number,
  body: Uint8Array,
): void {
  const bytes = new Uint8Array(16 + body.byteLength);
  const view = new DataView(bytes.buffer);
  view.setUint32(0, bytes.byteLength, true);
  view.setInt32(4, error, true);
  view.setBigUint64(8, unique, true);
  bytes.set(body, 16);
  const written = device.write(bytes, bytes.byteLength);
  if (written !== bytes.byteLength) throw new Error(`write gave ${written}`);
}
