import { findMount } from "../../src/linux/mount/mountinfo.ts";
import { unmountExactly } from "../../src/linux/mount/fuse_mount.ts";
import type { ServerSetup } from "./commands.ts";
import { type Guard, quote } from "./guard.ts";
import { type ProcessGroup, spawnGroup } from "./process_group.ts";
import type { ServerKind } from "./servers.ts";
import { withUringSetting } from "./uring_setting.ts";

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
  /**
   * CPU seconds that its processes have used; `null` if it has none. An NBD
   * server below it, which all servers have alike, does not count.
   */
  readonly cpuSeconds: () => number | null;
  /** CPU nanoseconds of each thread that runs now, by its id. */
  readonly threadTimes: () => Map<string, number>;
  /** Unmounts it and ends its processes; never fails. */
  readonly stop: () => Promise<void>;
}

/** What a server is started with. */
export interface StartOptions {
  readonly directory: string;
  readonly guard: Guard;
  readonly signal: AbortSignal;
}

/**
 * Starts the processes of a server and waits until it is mounted.
 *
 * @param kind The server.
 * @param setup What it exports, and where; the mount point is created here.
 * @param options The working directory of its processes, a guard that ends
 * them, and a signal that cancels the start.
 * @throws {Error} If it does not mount in time; no process or mount remains
 * then.
 */
export async function startServer(
  kind: ServerKind,
  setup: ServerSetup,
  options: StartOptions,
): Promise<RunningServer> {
  const commands = kind.commands(setup);
  if (commands.length === 0) {
    return {
      kind,
      setup,
      path: setup.image,
      cpuSeconds: () => null,
      threadTimes: () => new Map(),
      stop: async () => {},
    };
  }
  const { mountpoint, socket } = setup;
  await Deno.writeTextFile(mountpoint, "");
  await Deno.remove(socket).catch(() => {});
  const started = new StartedServer(setup, options.guard);
  try {
    await withUringSetting(kind.setting, options.guard, async () => {
      for (const [at, command] of commands.entries()) {
        const group = await started.spawn(command, options);
        const isReady = at === commands.length - 1
          ? () => findMount(mountpoint) !== null
          : () => exists(socket);
        await waitFor(isReady, group, options.signal);
      }
      // An answer shows that the connection has its transport.
      await Promise.race([Deno.stat(mountpoint), delay(MOUNT_MS)]);
    });
  } catch (error) {
    await started.stop();
    throw error;
  }
  return {
    kind,
    setup,
    path: mountpoint,
    cpuSeconds: () => started.cpuSeconds(),
    threadTimes: () => started.threadTimes(),
    stop: () => started.stop(),
  };
}

/** The processes of a server, and how each is ended if all else fails. */
class StartedServer {
  readonly #groups: ProcessGroup[] = [];
  readonly #forget: (() => Promise<void>)[] = [];

  constructor(readonly setup: ServerSetup, readonly guard: Guard) {}

  async spawn(
    command: readonly string[],
    options: StartOptions,
  ): Promise<ProcessGroup> {
    const group = spawnGroup(command, options);
    this.#groups.push(group);
    this.#forget.push(
      await this.guard.add(
        `umount -l ${quote(this.setup.mountpoint)} 2>/dev/null; ` +
          `kill -KILL -- -${group.id}`,
      ),
    );
    return group;
  }

  cpuSeconds(): number {
    const counted = this.setup.driver === "nbd"
      ? this.#groups.slice(-1)
      : this.#groups;
    return counted.reduce((sum, group) => sum + group.cpuSeconds(), 0);
  }

  threadTimes(): Map<string, number> {
    return new Map(this.#groups.flatMap((group) => [...group.threadTimes()]));
  }

  async stop(): Promise<void> {
    // The last group serves the mount and unmounts it, unless it hangs.
    for (const group of this.#groups.toReversed()) {
      group.kill("SIGTERM");
      if (await group.ended(STOP_MS)) continue;
      unmount(this.setup.mountpoint);
      group.kill("SIGKILL");
      await group.ended(STOP_MS);
    }
    unmount(this.setup.mountpoint);
    for (const forget of this.#forget.splice(0)) await forget();
  }
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

async function delay(ms: number): Promise<never> {
  // Does not keep the program alive.
  await new Promise((resolve) => Deno.unrefTimer(setTimeout(resolve, ms)));
  throw new Error(`it does not answer within ${ms / 1000} s`);
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
