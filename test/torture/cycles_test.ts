import { assert, assertEquals } from "@std/assert";
import { mountExport } from "../../mod.ts";
import {
  eventually,
  ExportProcess,
  imageIn,
  isMounted,
  must,
} from "../mount/_harness.ts";
import { torture } from "./_harness.ts";
import { amount, tell } from "./_scale.ts";

/** Counts of resources that a session might leak in this process. */
interface Holdings {
  descriptors: number;
  threads: number;
  files: number;
}

async function count(path: string): Promise<number> {
  return (await Array.fromAsync(Deno.readDir(path))).length;
}

async function holdings(directory: string): Promise<Holdings> {
  return {
    descriptors: await count("/proc/self/fd"),
    threads: await count("/proc/self/task"),
    files: await count(directory),
  };
}

torture("starting and stopping sessions leaks nothing", async (directory) => {
  const { image, mountpoint } = await imageIn(directory, 1 << 20);
  const cycle = async (i: number) => {
    const session = await mountExport({
      source: i % 2 === 0 ? image : "null:1M",
      mountpoint,
      queues: 1 + i % 3,
      writable: i % 4 === 0,
      transport: "device",
    });
    const { clean, problems } = await session.close();
    assert(clean, problems.join());
    assertEquals(isMounted(mountpoint), false);
  };
  // Deno starts threads with the first sessions and keeps them.
  for (let i = 0; i < 6; i++) await cycle(i);
  const before = await holdings(directory);
  const cycles = amount(24, 900);
  for (let i = 0; i < cycles; i++) await cycle(i);
  // A Worker's thread ends a moment after the Worker, with what Deno has open
  // for it.
  let after = before;
  await eventually(
    async () => {
      after = await holdings(directory);
      return after.threads <= before.threads + 1 &&
        after.descriptors <= before.descriptors + 1;
    },
    "the threads end, and what they have open is closed",
  );
  assertEquals(after.files, before.files);
  const { descriptors, threads } = after;
  tell(
    `${cycles} cycles: ${before.descriptors} descriptors and ` +
      `${before.threads} threads before, ${descriptors} and ${threads} after`,
  );
}, { programs: ["losetup"], limitS: 60 + amount(24, 900) * 2 });

torture(
  "starting and stopping programs leaks nothing",
  async (directory) => {
    const { image, mountpoint } = await imageIn(directory, 1 << 20);
    const before = await count(directory);
    const cycles = amount(6, 100);
    for (let i = 0; i < cycles; i++) {
      await using process = await ExportProcess.start([
        "-wq2",
        image,
        mountpoint,
      ]);
      const { pid } = process;
      await must("cmp", image, mountpoint);
      assertEquals(
        (await process.stop(i % 2 ? "SIGINT" : "SIGTERM")).code,
        0,
      );
      assertEquals(isMounted(mountpoint), false);
      const alive = await Deno.lstat(`/proc/${pid}`).catch(() => null);
      assertEquals(alive, null);
    }
    assertEquals(await count(directory), before);
  },
  { programs: ["cmp"], limitS: 60 + amount(6, 100) * 4 },
);
