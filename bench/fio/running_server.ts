import { findMount } from "../../src/linux/mount/mountinfo.ts";
import { unmountExactly } from "../../src/linux/mount/fuse_mount.ts";
import type { ServerKind, ServerSetup } from "./servers.ts";
import { type ProcessGroup, spawnGroup } from "./process_group.ts";

/** Milliseconds for a server to mount. */
const MOUNT_MS = 20_000;
/** Milliseconds for a server to end by itself. */
const STOP_MS = 5000;
const LOOK_MS = 20;

/** A server that is mounted and can be measured. */
export interface RunningServer {
  readonly kind: ServerKind;
  readonly setup: ServerSetup;
  /** The file that fio opens. */
  readonly path: string;
  /** CPU seconds that its processes have used; `null` if it has none. */
  readonly cpuSeconds: () => number | null;
  /** Unmounts it and ends its processes; never fails. */
  readonly stop: () => Promise<void>;
}

/**
 * Starts the processes of a server and waits until it is mounted.
 *
 * @param kind The server.
 * @param setup What it exports, and where; the mount point is created here.
 * @param options The working directory of its processes, and a signal that
 * cancels the start.
 * @throws {Error} If it does not mount in time; no process or mount remains
 * then.
 */
export async function startServer(
  kind: ServerKind,
  setup: ServerSetup,
  options: { readonly directory: string; readonly signal: AbortSignal },
): Promise<RunningServer> {
  const commands = kind.commands(setup);
  if (commands.length === 0) {
    return {
      kind,
      setup,
      path: setup.image,
      cpuSeconds: () => null,
      stop: async () => {},
    };
  }
  const { mountpoint, socket } = setup;
  await Deno.writeTextFile(mountpoint, "");
  await Deno.remove(socket).catch(() => {});
  const groups: ProcessGroup[] = [];
  const stop = () => stopServer(groups, mountpoint);
  try {
    for (const [at, command] of commands.entries()) {
      groups.push(spawnGroup(command, options));
      const isLast = at === commands.length - 1;
      const isReady = isLast
        ? () => findMount(mountpoint) !== null
        : () => exists(socket);
      await waitFor(isReady, groups.at(-1)!, options.signal);
    }
  } catch (error) {
    await stop();
    throw error;
  }
  return {
    kind,
    setup,
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
    throw new Error(
      `it did not mount: ${said || "it ended and printed nothing"}`,
    );
  }
}

async function stopServer(
  groups: readonly ProcessGroup[],
  mountpoint: string,
): Promise<void> {
  // The last group serves the mount and unmounts it, unless it hangs.
  for (const group of groups.toReversed()) {
    group.kill("SIGTERM");
    if (await group.ended(STOP_MS)) continue;
    unmount(mountpoint);
    group.kill("SIGKILL");
    await group.ended(STOP_MS);
  }
  unmount(mountpoint);
}

function unmount(mountpoint: string): void {
  const mount = findMount(mountpoint);
  if (mount === null || !mount.type.startsWith("fuse")) return;
  try {
    unmountExactly(mount);
  } catch {
    // It may have been unmounted meanwhile, or this user may not unmount it.
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
