/**
 * Directories of another user, who exchanges a part of a path with a symbolic
 * link to a victim's directory while the path is used.
 *
 * @module
 */
import { assert, assertEquals } from "@std/assert";
import { openImage } from "../../src/backends/open_image.ts";
import { S_IF } from "../../src/base/file_flags.ts";
import { UserError } from "../../src/base/user_error.ts";
import { Pidfile } from "../../src/cli/service/pidfile.ts";
import { openFuseDevice } from "../../src/linux/fuse/fuse_device.ts";
import { mountBySyscall } from "../../src/linux/mount/mount_by_syscall.ts";
import { readMounts } from "../../src/linux/mount/mountinfo.ts";
import { listenUnix } from "../../src/linux/socket/unix_listener.ts";
import { driverServices } from "../../src/session/driver_services.ts";
import { imageOptions } from "../backends/_image_options.ts";
import { must } from "../mount/_harness.ts";
import { prepareMountpoint } from "../../src/session/mountpoint.ts";

const ATTACKER = 65534;
/** Seconds after which a swapper ends even if the test has died. */
const LIFE_S = 300;
const BLOCK = 4096;

/** What a use of a path led to: `refused`, or the attacker's own directory. */
export type Outcome = "refused" | "attacker's";

/** The files of a trial. */
export interface SwapFiles {
  /** The attacker's directory, in which the names are exchanged. */
  readonly theirs: string;
  /** The victim's directory. */
  readonly victim: string;
}

/** Makes the files of both users; the names are the same in each directory. */
export async function makeSwapFiles(directory: string): Promise<SwapFiles> {
  const files = {
    theirs: `${directory}/theirs`,
    victim: `${directory}/victim`,
  };
  await Deno.mkdir(files.victim);
  await Deno.mkdir(`${files.theirs}/part`, { recursive: true });
  for (const place of [files.victim, `${files.theirs}/part`, files.theirs]) {
    const fill = place === files.victim ? 1 : 2;
    const image = new Uint8Array(BLOCK).fill(fill);
    await Deno.writeFile(`${place}/disk.img`, image);
    await Deno.writeTextFile(`${place}/mnt.img`, "");
  }
  await Deno.writeTextFile(`${files.victim}/pid`, "1\n");
  leaveSocket(`${files.victim}/socket`);
  await Deno.symlink("../victim", `${files.theirs}/link`);
  for (const name of ["disk.img", "mnt.img"]) {
    const target = `${files.victim}/${name}`;
    await Deno.symlink(target, `${files.theirs}/${name}.link`);
  }
  await must("chown", "-hR", `${ATTACKER}:${ATTACKER}`, files.theirs);
  return files;
}

async function* walk(path: string): AsyncGenerator<string> {
  yield path;
  if (!(await Deno.lstat(path)).isDirectory) return;
  for await (const { name } of Deno.readDir(path)) {
    yield* walk(`${path}/${name}`);
  }
}

/** A socket on which no program listens, as a killed server leaves it. */
function leaveSocket(path: string): void {
  const listener = listenUnix(path);
  Deno.renameSync(path, `${path}.kept`);
  listener.close();
  Deno.renameSync(`${path}.kept`, path);
}

/** Exchanges two names until disposal. */
export async function swapping(
  one: string,
  other: string,
): Promise<AsyncDisposable> {
  const program = new URL("_swapper.ts", import.meta.url).pathname;
  const deno = [Deno.execPath(), "run", "--no-prompt", "--allow-ffi"];
  const child = new Deno.Command("timeout", {
    args: ["-s", "KILL", String(LIFE_S), ...deno, program, one, other],
    stdout: "piped",
    stderr: "inherit",
  }).spawn();
  const reader = child.stdout.getReader();
  const { done } = await reader.read();
  assert(!done, "the swapper starts");
  return {
    async [Symbol.asyncDispose]() {
      // The swapper itself: timeout(1) is only its parent.
      child.kill("SIGTERM");
      await reader.cancel();
      await child.status;
    },
  };
}

/** A use of a path by root; it undoes what it did. */
export type Use = (
  path: string,
  insecurePath: boolean,
  files: SwapFiles,
) => void | Promise<void>;

/** The paths of mounts below a directory. */
export function mountedIn(directory: string): string[] {
  return readMounts().map(({ mountPoint }) => mountPoint)
    .filter((path) => path.startsWith(`${directory}/`));
}

/** Mounts on a path. */
export const mounts: Use = (mountpoint, insecurePath, { victim }) => {
  const notice = () => {};
  using entry = prepareMountpoint({ mountpoint, insecurePath, notice });
  const device = openFuseDevice();
  try {
    const mount = mountBySyscall({
      fd: device.fd,
      mountpoint,
      entry,
      source: "trial",
      rootMode: S_IF.REG | 0o600,
      readOnly: true,
      allowOther: false,
      uid: 0,
      gid: 0,
      maxRead: 1 << 20,
    });
    const hit = mountedIn(victim).length > 0;
    assertEquals(mount.unmount(), "unmounted");
    mount.close();
    assert(!hit, "mounted over the victim's file");
  } finally {
    device.close();
  }
};

/** Writes a pidfile and removes it. */
export const writesPidfile: Use = (path, insecurePath) => {
  const pidfile = new Pidfile(path, insecurePath);
  try {
    pidfile.write();
  } finally {
    pidfile.remove();
  }
};

/** Binds a control socket and removes it. */
export const listens: Use = async (path, insecurePath) => {
  await listenUnix(path, { insecurePath }).close();
};

/** Opens an image with direct I/O, and reads it. */
export const opensImage: Use = async (path, insecurePath) => {
  const options = {
    ...imageOptions,
    writable: true,
    direct: true,
  };
  const image = await openImage(
    path,
    options,
    driverServices({ insecurePath }),
  );
  try {
    const block = new Uint8Array(BLOCK);
    assertEquals(await image.backend.read(0, block, 0, BLOCK), BLOCK);
    assertEquals(block[0], 2, "the image is the attacker's");
  } finally {
    await image.close();
  }
};

/** Uses a path again and again; counts what came of it. */
export async function useOften(
  use: Use,
  path: string,
  { files, insecurePath, rounds }: {
    readonly files: SwapFiles;
    readonly insecurePath: boolean;
    readonly rounds: number;
  },
): Promise<Record<Outcome, number>> {
  const counts = { refused: 0, "attacker's": 0 };
  for (let round = 0; round < rounds; round++) {
    const outcome = await attempt(() => use(path, insecurePath, files));
    counts[outcome]++;
  }
  return counts;
}

async function attempt(
  use: () => void | Promise<void>,
): Promise<Outcome> {
  try {
    await use();
    return "attacker's";
  } catch (error) {
    if (error instanceof UserError) return "refused";
    throw error;
  }
}

/** The state of the victim's directory, to compare. */
export async function stateOf({ victim }: SwapFiles): Promise<string> {
  const lines: string[] = [];
  for await (const path of walk(victim)) {
    const { ino, size, mtime, mode } = await Deno.lstat(path);
    lines.push([path, ino, path === victim ? 0 : size, mtime, mode].join(" "));
  }
  return lines.sort().join("\n");
}
