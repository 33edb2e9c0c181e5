/**
 * Tests of FUSE over io_uring, with the kernel's setting switched on.
 *
 * @module
 */
import { kernelTest } from "../requirements.ts";
import { inDirectory } from "./_harness.ts";

const PARAMETER = "/sys/module/fuse/parameters/enable_uring";

/** The tests that use the setting now, of all processes that run tests. */
const USES = "/tmp/mqfuse_enable_uring.json";
const RETRY_MS = 100;

/** The setting while tests use it, and what it is restored to. */
interface Uses {
  readonly value: string;
  readonly before: string;
  /** The process of each test. */
  readonly pids: readonly number[];
}

/**
 * Runs a test with the kernel's setting changed, and restores it after the last
 * of the tests that use it. Suites run at the same time: a test waits for those
 * that need the other value.
 */
export async function withSetting<T>(
  value: "Y" | "N",
  body: () => Promise<T>,
): Promise<T> {
  while (!await changeUses((uses) => enter(uses, value))) {
    await new Promise((resolve) => setTimeout(resolve, RETRY_MS));
  }
  try {
    return await body();
  } finally {
    await changeUses(leave);
  }
}

/** The uses with this one added; `null` if the setting has the other value. */
async function enter(uses: Uses | null, value: string): Promise<Uses | null> {
  if (uses !== null && uses.value !== value) return null;
  const before = uses?.before ?? await Deno.readTextFile(PARAMETER);
  await Deno.writeTextFile(PARAMETER, value);
  return { value, before, pids: [...uses?.pids ?? [], Deno.pid] };
}

/** The uses without one of this process. */
async function leave(uses: Uses | null): Promise<Uses> {
  const pids = [...uses!.pids];
  pids.splice(pids.indexOf(Deno.pid), 1);
  if (pids.length === 0) await Deno.writeTextFile(PARAMETER, uses!.before);
  return { ...uses!, pids };
}

/** Replaces the uses unless `change` returns `null`; whether it did. */
async function changeUses(
  change: (uses: Uses | null) => Promise<Uses | null>,
): Promise<boolean> {
  using file = await Deno.open(USES, { read: true, write: true, create: true });
  await file.lock(true);
  const text = await Deno.readTextFile(USES);
  const uses = text === "" ? null : withoutDead(JSON.parse(text));
  const changed = await change(uses);
  if (changed !== null) await Deno.writeTextFile(USES, JSON.stringify(changed));
  return changed !== null;
}

/** The uses of processes that still run; `null` without any. */
function withoutDead(uses: Uses): Uses | null {
  const pids = uses.pids.filter((pid) => isRunning(pid));
  if (pids.length > 0) return { ...uses, pids };
  // Tests that died have not restored the setting.
  if (uses.pids.length > 0) Deno.writeTextFileSync(PARAMETER, uses.before);
  return null;
}

function isRunning(pid: number): boolean {
  try {
    return Deno.statSync(`/proc/${pid}`).isDirectory;
  } catch {
    return false;
  }
}

/**
 * Registers a test with FUSE over io_uring switched on or off in the kernel, in
 * a directory of its own.
 *
 * @param name What is tested.
 * @param body The test; receives the directory's path.
 * @param programs Programs that it starts besides coreutils.
 * @param setting The kernel's setting.
 */
export function uringTest(
  name: string,
  body: (directory: string) => Promise<void>,
  programs: readonly string[] = [],
  setting: "Y" | "N" = "Y",
): void {
  if (!hasSetting()) return;
  const run = () => withSetting(setting, () => inDirectory(body));
  kernelTest(name, run, programs);
}

/** Whether this kernel has the setting at all. */
export function hasSetting(): boolean {
  try {
    return Deno.statSync(PARAMETER).isFile;
  } catch {
    return false;
  }
}
