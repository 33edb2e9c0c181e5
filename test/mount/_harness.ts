/**
 * Tests of real mounts: the program in a process of its own, used by clients in
 * others. No test opens a mount itself: it would block if the server hung.
 *
 * @module
 */
import { kernelTest } from "../requirements.ts";
import { exists, randomFile, within } from "./_clients.ts";
import { clearMounts } from "./_mounts.ts";

export * from "./_clients.ts";
export * from "./_export_process.ts";
export * from "./_mounts.ts";

const PREFIX = "mqfuse_mount_";
/** How many cases run side by side. */
const LANES = 4;

/** Bytes in a mebibyte. */
export const MIB: number = 1 << 20;

/**
 * Registers a test of a real mount, in a directory of its own.
 *
 * @param name What is tested.
 * @param body The test; receives the directory's path.
 * @param programs Programs that it starts besides coreutils.
 */
export function mountTest(
  name: string,
  body: (directory: string, t: Deno.TestContext) => Promise<void>,
  programs: readonly string[] = [],
): void {
  const run = (t: Deno.TestContext) =>
    inDirectory((directory) => body(directory, t));
  kernelTest(name, run, programs);
}

/** The name of a test of an item of the checklist of QEMU's own tests. */
export function checklist(item: number, name: string): string {
  return `checklist ${String(item).padStart(2, "0")}: ${name}`;
}

/**
 * Runs cases at the same time and reports each as a step. For cases that mostly
 * wait for processes.
 *
 * @param t The test that they are steps of.
 * @param cases What to run, by name.
 */
export async function sideBySide(
  t: Deno.TestContext,
  cases: readonly (readonly [name: string, body: () => Promise<void>])[],
): Promise<void> {
  const waiting = cases.map(([name, body]) => {
    const { promise, resolve } = Promise.withResolvers<void>();
    const outcome = Promise.allSettled([promise.then(body)]);
    return { name, outcome, start: resolve };
  });
  const running = [...waiting];
  const lane = async () => {
    for (;;) {
      const next = waiting.shift();
      if (next === undefined) return;
      next.start();
      await next.outcome;
    }
  };
  for (let i = 0; i < LANES; i++) lane();
  for (const { name, outcome } of running) {
    await t.step({
      name,
      // Operations of the other cases begin and end in this step.
      sanitizeOps: false,
      sanitizeResources: false,
      async fn() {
        const [result] = await outcome;
        if (result.status === "rejected") throw result.reason;
      },
    });
  }
}

/** Runs a test in a directory of its own, with a time limit. */
export async function inDirectory(
  body: (directory: string) => Promise<void>,
  limitMs: number = 60_000,
): Promise<void> {
  await sweep();
  const prefix = `${PREFIX}${Deno.pid}_`;
  const directory = await Deno.realPath(await Deno.makeTempDir({ prefix }));
  try {
    await within(body(directory), "the test", limitMs);
  } finally {
    clearMounts(`${directory}/`);
    await Deno.remove(directory, { recursive: true });
  }
}

/** Makes an image of random bytes and a file to mount it on. */
export async function imageIn(
  directory: string,
  size: number = 8 << 20,
): Promise<{ image: string; mountpoint: string }> {
  const image = `${directory}/disk.img`;
  const mountpoint = `${directory}/mnt.img`;
  await randomFile(image, size);
  await Deno.writeTextFile(mountpoint, "underneath");
  return { image, mountpoint };
}

/** Removes the remains of crashed runs of these tests. */
async function sweep(): Promise<void> {
  for await (const { name } of Deno.readDir("/tmp")) {
    const pid = new RegExp(`^${PREFIX}(\\d+)_`).exec(name)?.[1];
    if (pid === undefined || await exists(`/proc/${pid}`)) continue;
    clearMounts(`/tmp/${name}/`);
    await Deno.remove(`/tmp/${name}`, { recursive: true });
  }
}
