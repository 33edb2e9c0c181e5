/**
 * Torture tests: each has a directory, and file systems on loop devices in it.
 * All of it is removed at the end, or before the next test if a run crashed.
 *
 * @module
 */
import { assertEquals } from "@std/assert";
import { readMounts } from "../../src/linux/mount/mountinfo.ts";
import { kernelTest } from "../requirements.ts";
import { eventually, exists, must, run, within } from "../mount/_harness.ts";
import { runFor } from "../mount/_clients.ts";

const PREFIX = "mqfuse_torture_";
/** Milliseconds until a loop device that is not used any more is detached. */
const DETACH_MS = 60_000;

/** The requirements of a torture test besides coreutils. */
export interface TortureOptions {
  /** Programs that it starts. */
  readonly programs?: readonly string[];
  /** Seconds that it may take. */
  readonly limitS?: number;
}

/**
 * Registers a test on the real kernel, with its own directory.
 *
 * @param name What it tests.
 * @param body The test.
 */
export function torture(
  name: string,
  body: (directory: string, t: Deno.TestContext) => Promise<void>,
  { programs = [], limitS = 60 }: TortureOptions = {},
): void {
  const needed = ["losetup", "umount", ...programs];
  const run = (t: Deno.TestContext) =>
    inDirectory((directory) => body(directory, t), limitS);
  kernelTest(name, run, needed);
}

/** Runs a body with its own directory, with a time limit. */
export async function inDirectory(
  body: (directory: string) => Promise<void>,
  limitS: number,
): Promise<void> {
  await sweep();
  const prefix = `${PREFIX}${Deno.pid}_`;
  const directory = await Deno.realPath(await Deno.makeTempDir({ prefix }));
  try {
    await within(body(directory), "the test", limitS * 1000);
  } finally {
    await clear(directory);
  }
}

/** Unmounts everything in a directory, then removes it. */
async function clear(directory: string): Promise<void> {
  // Before unmounting, which hides the paths of the devices' files.
  await detachLoops(directory);
  for (const { mountPoint } of readMounts().toReversed()) {
    if (!mountPoint.startsWith(`${directory}/`)) continue;
    await run("umount", "-f", "-l", mountPoint);
  }
  await must("rm", "-rf", "--one-file-system", directory);
}

/** Detaches loop devices; one that is mounted, when it is unmounted. */
async function detachLoops(directory: string): Promise<void> {
  const { stdout } = await run("losetup", "--list", "-nO", "NAME,BACK-FILE");
  for (const line of stdout.split("\n")) {
    const [name, file] = line.trim().split(/\s+/);
    if (!file?.startsWith(`${directory}/`)) continue;
    await run("losetup", "--detach", name!);
  }
}

/** Removes the remains of crashed runs of these tests. */
async function sweep(): Promise<void> {
  for await (const { name } of Deno.readDir("/tmp")) {
    const pid = new RegExp(`^${PREFIX}(\\d+)_`).exec(name)?.[1];
    if (pid === undefined || await exists(`/proc/${pid}`)) continue;
    await clear(`/tmp/${name}`);
  }
}

/** An empty file to mount on. */
export async function emptyFile(path: string): Promise<string> {
  await Deno.writeTextFile(path, "");
  return path;
}

/** A file system to put an image on. */
export interface Medium {
  /** Where it is mounted. */
  readonly path: string;
  /** Unmounts it. */
  unmount(): Promise<void>;
  /** Mounts it, again. */
  mount(): Promise<void>;
}

/**
 * Shuts an XFS down without its log, as a power cut does. That freezes the
 * device first, which waits for what other programs are writing to the disk.
 */
export async function shutDown(path: string): Promise<void> {
  const { code, stderr } = await runFor(
    60,
    "xfs_io",
    "-x",
    "-c",
    "shutdown",
    path,
  );
  assertEquals(code, 0, stderr);
}

/**
 * Unmounts a file system in the mount namespaces that were copied while it was
 * mounted here: of programs that run for longer than a test may wait.
 */
async function unmountCopies(path: string): Promise<void> {
  for await (const { name } of Deno.readDir("/proc")) {
    if (!/^\d+$/.test(name) || !(await mountedFor(name, path))) continue;
    // It may have ended, or have unmounted it, meanwhile.
    await runFor(10, "nsenter", `--target=${name}`, "--mount", "umount", path);
  }
}

/** Whether a process sees a mountpoint. False for one that has ended. */
async function mountedFor(pid: string, path: string): Promise<boolean> {
  try {
    return (await Deno.readTextFile(`/proc/${pid}/mountinfo`))
      .includes(` ${path} `);
  } catch {
    return false;
  }
}

/**
 * Makes a file system on a loop device and mounts it.
 *
 * @param directory The directory for its file and its mountpoint.
 * @param make The program that makes it, with arguments.
 * @param options Mount options.
 */
export async function makeMedium(
  directory: string,
  make: readonly string[],
  options: string = "loop",
): Promise<Medium> {
  const file = `${directory}/medium.img`;
  const path = `${directory}/medium`;
  await must("truncate", "-s", "320M", file);
  await must(make[0]!, ...make.slice(1), file);
  await Deno.mkdir(path);
  const medium = {
    path,
    async unmount() {
      await must("umount", path);
      // A mount namespace that another program has copied keeps the file
      // system alive; mounted again meanwhile, it would still be shut down.
      await eventually(
        async () => {
          if (await must("losetup", "-j", file) === "") return true;
          await unmountCopies(path);
          return false;
        },
        "the loop device is detached",
        DETACH_MS,
      );
    },
    async mount() {
      await must("mount", "-o", options, file, path);
    },
  };
  await medium.mount();
  return medium;
}
