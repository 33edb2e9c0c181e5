/**
 * Measures rows on one server after the other.
 *
 * @module
 */
import { quote } from "../servers/guard.ts";
import { type ProcessGroup, spawnGroup } from "../servers/process_group.ts";
import type { Row } from "./rows.ts";
import type { TreeServer } from "./servers.ts";

const MOUNT_MS = 20_000;
const END_MS = 10_000;
const STEP_MS = 20;
/** Seconds after which a row has failed. */
const ROW_S = 120;

/** Runs commands of bash(1) in a directory. */
export async function bash(
  directory: string,
  command: string,
): Promise<string> {
  const { code, stdout, stderr } = await new Deno.Command("timeout", {
    args: ["-k", "5", String(ROW_S), "bash", "-c", command],
    cwd: directory,
    stdin: "null",
  }).output();
  const decoder = new TextDecoder();
  if (code === 0) return decoder.decode(stdout);
  const errors = decoder.decode(stderr).slice(-1000);
  throw new Error(`${command} ended with ${code}: ${errors}`);
}

/**
 * Runs all rows once.
 *
 * @param directory What is served.
 * @param mountpoint Where.
 * @returns Seconds by row.
 */
export async function measureServer(
  { command, name }: TreeServer,
  rows: readonly Row[],
  directory: string,
  mountpoint: string,
): Promise<Map<string, number>> {
  if (command === null) return await runRows(rows, directory);
  // A mount for each part: passthrough_ll holds a descriptor for each file that
  // the kernel knows.
  const seconds = new Map<string, number>();
  for (const isFio of [false, true]) {
    const part = rows.filter((row) => row.isFio === isFio);
    if (part.length === 0) continue;
    const started = command(directory, mountpoint);
    const times = await measureMount(started, name, part, mountpoint);
    for (const [row, time] of times) seconds.set(row, time);
  }
  return seconds;
}

async function measureMount(
  command: readonly string[],
  name: string,
  rows: readonly Row[],
  mountpoint: string,
): Promise<Map<string, number>> {
  const server = spawnGroup(command, { directory: "/" });
  try {
    await untilMounted(server, name, mountpoint);
    return await runRows(rows, mountpoint);
  } finally {
    await bash(
      "/",
      `umount ${quote(mountpoint)} || umount -l ${quote(mountpoint)}`,
    )
      .catch(() => {});
    if (!await server.ended(END_MS)) server.kill("SIGKILL");
  }
}

async function runRows(
  rows: readonly Row[],
  directory: string,
): Promise<Map<string, number>> {
  const seconds = new Map<string, number>();
  for (const row of rows) seconds.set(row.name, await runRow(row, directory));
  return seconds;
}

async function runRow(
  { command, isFio }: Row,
  directory: string,
): Promise<number> {
  const start = performance.now();
  const text = await bash(directory, command);
  const seconds = (performance.now() - start) / 1000;
  return isFio ? fioSeconds(text) : seconds;
}

/** The time that the only job took. */
function fioSeconds(text: string): number {
  const { jobs: [job] } = JSON.parse(text.slice(text.indexOf("{")));
  const { read, write } = job;
  const ran = Math.max(read.runtime, write.runtime);
  // In milliseconds, and never nothing.
  return Math.max(ran, 1) / 1000;
}

async function untilMounted(
  server: ProcessGroup,
  name: string,
  mountpoint: string,
): Promise<void> {
  const limit = performance.now() + MOUNT_MS;
  while (performance.now() < limit) {
    const mounts = await Deno.readTextFile("/proc/mounts");
    if (mounts.includes(` ${mountpoint} `)) return;
    if (await server.ended(STEP_MS)) break;
  }
  server.kill("SIGKILL");
  const { stderr } = await server.output();
  throw new Error(`${name} has not mounted: ${stderr}`);
}
