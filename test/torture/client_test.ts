/**
 * Clients that die, unmounts and signals, all under load.
 *
 * @module
 */
import { assert, assertEquals, assertMatch } from "@std/assert";
import { startFaulty } from "../mount/_faulty_process.ts";
import {
  type Ended,
  eventually,
  ExportProcess,
  imageIn,
  isMounted,
  MIB,
  must,
  pause,
  run,
  within,
} from "../mount/_harness.ts";
import { emptyFile, torture } from "./_harness.ts";

/** The longest time that an export may take to end. */
const END_MS = 5000;

/** Random I/O of four jobs for some seconds. */
async function load(path: string, seconds: number): Promise<Ended> {
  return await run(
    "fio",
    "--name=load",
    `--filename=${path}`,
    "--rw=randrw",
    "--ioengine=libaio",
    "--direct=1",
    "--iodepth=32",
    "--numjobs=4",
    "--bs=16k",
    "--size=16M",
    "--time_based",
    `--runtime=${seconds}`,
  );
}

/** Waits until an image is being written to. */
async function loaded(image: string): Promise<void> {
  const start = (await Deno.stat(image)).mtime!.getTime();
  await eventually(async () => {
    return (await Deno.stat(image)).mtime!.getTime() > start;
  }, "the load begins");
  await pause(300);
}

torture(
  "clients killed during a request do not disturb others",
  async (directory) => {
    const { mountpoint } = await imageIn(directory, MIB);
    await using process = await startFaulty("slow", mountpoint, 4);
    const read = ["if=" + mountpoint, "of=/dev/null", "bs=64k", "count=1"];
    const killed = Array.from(
      { length: 12 },
      (_, i) =>
        run("timeout", "-s", "KILL", String(0.05 + i * 0.02), "dd", ...read),
    );
    const others = Array.from({ length: 4 }, () => run("dd", ...read));
    for (const { code, stderr } of await Promise.all(others)) {
      assertEquals(code, 0, stderr);
    }
    await within(Promise.all(killed), "the clients that were killed");
    assertEquals((await run("dd", ...read)).code, 0);
    const { code, stderr } = await process.stop();
    assertEquals(code, 0, stderr);
  },
);

torture(
  "an unmount under load takes effect when the load ends",
  async (directory) => {
    const { image, mountpoint } = await imageIn(directory, 16 * MIB);
    await using process = await ExportProcess.start([
      "-wq4",
      image,
      mountpoint,
    ]);
    const client = load(mountpoint, 2);
    await loaded(image);
    await must("umount", "-l", mountpoint);
    assertEquals(isMounted(mountpoint), false);
    const { code, stdout, stderr } = await client;
    assertEquals(code, 0, stdout + stderr);
    const ended = await within(process.ended, "the end after the load", END_MS);
    assertEquals(ended.code, 0, ended.stderr);
    assertEquals(process.totals.map(({ errors }) => errors), [0, 0, 0, 0]);
  },
  { programs: ["fio"] },
);

for (const signals of [1, 2]) {
  const name = signals === 1 ? "SIGTERM" : "SIGTERM, and another,";
  torture(`${name} under load ends the export in time`, async (directory) => {
    const { image, mountpoint } = await imageIn(directory, 16 * MIB);
    // The first of two signals waits for the client, the second one does not.
    const timeout = signals === 1 ? 0 : 60;
    const wait = `--stop-timeout=${timeout}`;
    const args = ["-wq4", wait, image, mountpoint];
    await using process = await ExportProcess.start(args);
    const client = load(mountpoint, 15);
    await loaded(image);
    const start = Date.now();
    process.signal("SIGTERM");
    if (signals === 2) await process.signalAgain("SIGTERM");
    const { code, stderr } = await within(process.ended, "ending", END_MS);
    assert(Date.now() - start < END_MS);
    assertEquals(code, 1, stderr);
    assertMatch(stderr, /while it was in use by (fio|programs)/);
    assertEquals(isMounted(mountpoint), false);
    // The client gets errors; it does not hang.
    assert((await client).code !== 0);
  }, { programs: ["fio"] });
}

torture(
  "requests in flight are answered before the export ends",
  async (directory) => {
    const { mountpoint: below } = await imageIn(directory, MIB);
    const above = await emptyFile(`${directory}/above.img`);
    await using lower = await ExportProcess.start(["null:1G", below]);
    await using upper = await ExportProcess.start(["-q4", below, above]);
    // Opened before the image hangs, because opening sends requests too.
    const line = 'exec 3<"$1"; sleep 1; head -c 4096 <&3 | wc -c';
    const clients = [0, 1, 2].map(() => must("sh", "-c", line, "sh", above));
    await pause(500);
    lower.signal("SIGSTOP");
    await pause(900);
    upper.signal("SIGTERM");
    await pause(500);
    assertEquals(isMounted(above), true);
    lower.signal("SIGCONT");
    const { code, stderr } = await within(upper.ended, "ending", END_MS);
    assertEquals(code, 0, stderr);
    assertEquals(await Promise.all(clients), ["4096", "4096", "4096"]);
    assertEquals((await lower.stop()).code, 0);
  },
);
