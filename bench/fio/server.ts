import { findMount } from "../../src/linux/mount/mountinfo.ts";
import { unmountExactly } from "../../src/linux/mount/fuse_mount.ts";
import type { Contestant, Place } from "./contestants.ts";
import { type ProcessGroup, spawnGroup } from "./process_group.ts";

/** Milliseconds for a server to mount. */
const MOUNT_MS = 20_000;
/** Milliseconds for a server to end by itself. */
const STOP_MS = 5000;
const LOOK_MS = 20;

/** A contestant that is ready to be measured. */
export interface Server {
  readonly contestant: Contestant;
  readonly place: Place;
  /** The file that fio opens. */
  readonly path: string;
  /** CPU seconds of its processes so far; `null` if it has none. */
  readonly cpuSeconds: () => number | null;
  /** Takes down its mount and its processes; never fails. */
  readonly stop: () => Promise<void>;
}

/**
 * Starts a contestant's processes and waits until it is mounted.
 *
 * @param contestant Whose.
 * @param place What it exports where; its mount point is made here.
 * @param options Where its processes work, and what calls the start off.
 * @throws {Error} If it does not mount in time; nothing is left behind then.
 */
export async function startServer(
  contestant: Contestant,
  place: Place,
  options: { readonly directory: string; readonly signal: AbortSignal },
): Promise<Server> {
  const commands = contestant.commands(place);
  if (commands.length === 0) {
    return {
      contestant,
      place,
      path: place.image,
      cpuSeconds: () => null,
      stop: async () => {},
    };
  }
  const { mountpoint } = place;
  await Deno.writeTextFile(mountpoint, "");
  await Deno.remove(place.socket).catch(() => {});
  const groups: ProcessGroup[] = [];
  const stop = () => stopServer(groups, mountpoint);
  try {
    for (const [at, command] of commands.entries()) {
      groups.push(spawnGroup(command, options));
      const isLast = at === commands.length - 1;
      const isReady = isLast
        ? () => findMount(mountpoint) !== null
        : () => exists(place.socket);
      await waitFor(isReady, groups.at(-1)!, options.signal);
    }
  } catch (error) {
    await stop();
    throw error;
  }
  return {
    contestant,
    place,
    path: mountpoint,
    cpuSeconds: () =>
      groups.reduce((sum, group) => sum + group.cpuSeconds(), 0),
    stop,
  };
}

async function waitFor(
  isReady: () => boolean,
  group: ProcessGroup,
  signal: AbortSignal,
): Promise<void> {
  const deadline = performance.now() + MOUNT_MS;
  while (!isReady()) {
    signal.throwIfAborted();
    const hasEnded = await group.ended(LOOK_MS);
    if (!hasEnded && performance.now() < deadline) continue;
    if (!hasEnded) {
      throw new Error(`it did not mount within ${MOUNT_MS / 1000} s`);
    }
    const { stdout, stderr } = await group.output();
    const said = `${stderr}\n${stdout}`.trim().split("\n")[0];
    throw new Error(`it did not mount: ${said || "it ended without a word"}`);
  }
}

async function stopServer(
  groups: readonly ProcessGroup[],
  mountpoint: string,
): Promise<void> {
  // The mount's server is the last; it unmounts by itself if it is well.
  for (const group of groups.toReversed()) {
    group.kill("SIGTERM");
    if (await group.ended(STOP_MS)) continue;
    takeDown(mountpoint);
    group.kill("SIGKILL");
    await group.ended(STOP_MS);
  }
  takeDown(mountpoint);
}

function takeDown(mountpoint: string): void {
  const mount = findMount(mountpoint);
  if (mount === null || !mount.type.startsWith("fuse")) return;
  try {
    unmountExactly(mount);
  } catch {
    // Without the permission to unmount there is nothing more to be done.
  }
}

function exists(path: string): boolean {
  try {
    Deno.lstatSync(path);
    return true;
  } catch {
    return false;
  }
}
