/** Room for outstanding requests over /dev/fuse. */
import { assert, assertEquals } from "@std/assert";
import { ExportProcess, imageIn, MIB, mountTest } from "./_harness.ts";

const PROGRAM = new URL("./_gated_program.ts", import.meta.url).pathname;
const CLIENT = new URL("./_room_client.py", import.meta.url).pathname;
/** The longest time of a stat beside requests that are outstanding. */
const STAT_MS = 50;

/** Seconds for a client, which starts hundreds of processes. */
const CLIENT_S = 50;

/** Serves the gated file, and runs a client; returns what the client printed. */
async function onGatedFile(
  directory: string,
  queueMemory: number,
  ...args: (string | number)[]
): Promise<Record<string, number> & { codes: number[] }> {
  const { mountpoint } = await imageIn(directory, 4096);
  await using _ = await ExportProcess.start(
    [mountpoint, String(queueMemory)],
    { main: PROGRAM, permissions: ["-A"] },
  );
  const client = ["python3", CLIENT, mountpoint, ...args.map(String)];
  const { code, stdout } = await new Deno.Command("timeout", {
    args: ["-k", "2", String(CLIENT_S), ...client],
    stderr: "inherit",
  }).output();
  assertEquals(code, 0);
  return JSON.parse(new TextDecoder().decode(stdout));
}

mountTest("60 blocked SETLKW leave room for stat and unlock", async (dir) => {
  const result = await onGatedFile(dir, 64 * MIB, "locks", 60);
  assertEquals(result.codes, [0]);
  assert(result.stat! < STAT_MS, `${result.stat} ms`);
  assert(result.unlock! < STAT_MS, `${result.unlock} ms`);
}, ["python3"]);

mountTest("300 slow READs leave room for stat", async (dir) => {
  const result = await onGatedFile(dir, 64 * MIB, "reads", 300, 4096);
  assertEquals(result.codes, [0]);
  assert(result.stat! < STAT_MS, `${result.stat} ms`);
}, ["python3"]);

mountTest("a signal ends a SETLKW while the room is used up", async (dir) => {
  // There is room for two or three READs of 1 MiB.
  const result = await onGatedFile(dir, 4 * MIB, "full", 40, MIB);
  assert(result.handled! < 5, `${result.handled}`);
  assertEquals(result.killed, -9);
  assertEquals(result.codes, [0]);
  assert(result.stat! < STAT_MS, `${result.stat} ms`);
  assert(result["stat after"]! < STAT_MS, `${result["stat after"]} ms`);
}, ["python3"]);
