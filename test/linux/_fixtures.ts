/**
 * Fixtures of the tests of src/linux: temporary directories, a mount that cannot
 * outlive its test, and a minimal server.
 *
 * @module
 */

import {
  decodeStruct,
  encodeReply,
  ERRNO,
  errnoName,
  type OpcodeName,
  opcodeName,
  S_IF,
} from "../../src/protocol/mod.ts";
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
    rootMode: S_IF.REG | 0o644,
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
  const { name, unique } = nextRequest(device);
  if (name !== "INIT") throw new Error(`Expected INIT, received ${name}`);
  const init = {
    major: 7,
    minor: 31,
    "max_write": 65536,
    "time_gran": 1,
  };
  write(
    device,
    encodeReply("INIT", {
      header: { unique },
      body: { fuse_init_out: init },
    }),
  );
}

/** Answers the next request: GETATTR with a size, others with ENOSYS. */
export function answerGetattr(device: FuseDevice, size: bigint): void {
  answer(device, nextRequest(device), size);
}

/** Answers every GETATTR until the mount is gone, without blocking. */
export async function answerUntilUnmounted(device: FuseDevice): Promise<void> {
  const buffer = requestBuffer();
  device.setBlocking(false);
  for (;;) {
    await device.readable();
    const length = device.read(buffer);
    if (length === -ERRNO.ENODEV) return;
    if (length > 0) answer(device, requestIn(buffer), 0n);
  }
}

interface Received {
  readonly name: OpcodeName | undefined;
  readonly unique: bigint;
}

function nextRequest(device: FuseDevice): Received {
  const buffer = requestBuffer();
  const length = device.read(buffer);
  if (length < 0) throw new Error(`Cannot read: ${errnoName(-length)}`);
  return requestIn(buffer);
}

function requestIn(buffer: Uint8Array): Received {
  const { opcode, unique } = decodeStruct("fuse_in_header", buffer);
  return { name: opcodeName(opcode), unique };
}

function answer(
  device: FuseDevice,
  { name, unique }: Received,
  size: bigint,
): void {
  const attr = { ino: 1n, size, mode: S_IF.REG | 0o644, nlink: 1 };
  write(
    device,
    name === "GETATTR"
      ? encodeReply("GETATTR", {
        header: { unique },
        body: { fuse_attr_out: { attr } },
      })
      : encodeReply("FLUSH", { header: { unique, error: -ERRNO.ENOSYS } }),
  );
}

function write(device: FuseDevice, reply: Uint8Array<ArrayBuffer>): void {
  const written = device.write(reply, reply.byteLength);
  if (written !== reply.byteLength) {
    throw new Error(`Cannot write: ${errnoName(-written)}`);
  }
}
