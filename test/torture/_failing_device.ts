/**
 * Block devices whose medium is full: loop devices over a full tmpfs. The page
 * cache takes every write, and write-back loses those beyond the good part.
 *
 * @module
 */
import { MIB, must } from "../mount/_harness.ts";

/** Size of such a device in bytes. */
export const DEVICE_SIZE: number = 64 * MIB;
/** Writes to the first bytes of a device are kept. */
export const GOOD_SIZE: number = MIB;
/** Writes from this position on are lost. */
export const LOST_FROM: number = 8 * MIB;

const WRITEBACK = "/proc/sys/vm/dirty_writeback_centisecs";
const TMPFS = 4 * MIB;

/** A block device that loses writes. */
export interface FailingDevice extends AsyncDisposable {
  /** Its path, such as `/dev/loop3`. */
  readonly path: string;
  /** The file that holds its medium. */
  readonly file: string;
}

/**
 * Makes a failing device.
 *
 * @param directory Where its tmpfs is mounted.
 * @param name A name for that.
 */
export async function makeFailingDevice(
  directory: string,
  name: string,
): Promise<FailingDevice> {
  const disk = `${directory}/${name}`;
  await Deno.mkdir(disk);
  const how = ["-t", "tmpfs", "-o", `size=${TMPFS}`, "mqfuse_torture"];
  await must("mount", ...how, disk);
  const file = `${disk}/back`;
  await must("truncate", "-s", `${DEVICE_SIZE}`, file);
  const good = `count=${GOOD_SIZE / 65536}`;
  await must(
    "dd",
    "if=/dev/zero",
    `of=${file}`,
    "bs=64k",
    good,
    "conv=notrunc",
  );
  // Fills the tmpfs, so that nothing else fits.
  await must(
    "sh",
    "-c",
    'cat /dev/zero > "$1" 2>/dev/null || :',
    "sh",
    `${disk}/rest`,
  );
  const path = await must("losetup", "-f", "--show", file);
  return {
    path,
    file,
    async [Symbol.asyncDispose]() {
      await must("losetup", "--detach", path);
      await must("umount", "-l", disk);
    },
  };
}

/** Runs a test while the kernel writes nothing back unless it is told to. */
export async function withoutWriteback(
  body: () => Promise<void>,
): Promise<void> {
  const before = await Deno.readTextFile(WRITEBACK);
  try {
    await Deno.writeTextFile(WRITEBACK, "0");
    await body();
  } finally {
    await Deno.writeTextFile(WRITEBACK, before);
  }
}
