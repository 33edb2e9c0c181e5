/** The memory for messages is locked before the first request. */
import { assert, assertEquals, assertMatch } from "@std/assert";
import { largeSlotSize } from "../../src/queue/slot.ts";
import { SLAB_SIZE } from "../../src/queue/slot_pool.ts";
import { ExportProcess, imageIn, MIB, mountTest, must } from "./_harness.ts";
import { uringTest } from "./_uring.ts";

/** Starts a program without CAP_IPC_LOCK. */
const WITHOUT_IPC_LOCK = [
  "setpriv",
  "--bounding-set=-ipc_lock",
  "--inh-caps=-ipc_lock",
];

/** VmLck of a process in bytes. */
async function lockedBytes(pid: number): Promise<number> {
  const status = await Deno.readTextFile(`/proc/${pid}/status`);
  return 1024 * Number(/^VmLck:\s*(\d+) kB$/m.exec(status)![1]);
}

mountTest("message memory is locked before the first request", async (dir) => {
  const { image, mountpoint } = await imageIn(dir);
  for (const [queues, largeSlots] of [[2, 2], [4, 1]] as const) {
    const args = [`-q${queues}`, image, mountpoint];
    await using process = await ExportProcess.start(args);
    const each = largeSlots * largeSlotSize(MIB) + SLAB_SIZE;
    assertEquals(await lockedBytes(process.pid), queues * each, `${queues}`);
    const { stderr, code } = await process.stop();
    assertEquals([code, stderr.includes("RLIMIT_MEMLOCK")], [0, false]);
  }
});

mountTest("a soft RLIMIT_MEMLOCK is raised", async (dir) => {
  const { image, mountpoint } = await imageIn(dir);
  // The hard limit stays.
  const limit = `--memlock=${MIB}:`;
  const wrapper = [...WITHOUT_IPC_LOCK, "prlimit", limit];
  const args = ["-q2", image, mountpoint];
  await using process = await ExportProcess.start(args, { wrapper });
  assert(await lockedBytes(process.pid) > 2 * MIB);
  assertEquals(process.events.map(({ event }) => event), ["ready"]);
  assertEquals((await process.stop()).code, 0);
}, ["setpriv", "prlimit"]);

mountTest("a small RLIMIT_MEMLOCK is named, and all goes on", async (dir) => {
  const { image, mountpoint } = await imageIn(dir);
  // The last but one is too small by a page.
  for (const [kib, told] of [[1024, 1], [4636, 1], [4640, 0]] as const) {
    const limit = `--memlock=${kib * 1024}`;
    const wrapper = [...WITHOUT_IPC_LOCK, "prlimit", limit];
    const args = ["-q2", image, mountpoint];
    await using process = await ExportProcess.start(args, { wrapper });
    await must("cmp", image, mountpoint);
    const { code } = await process.stop();
    assertEquals(code, 0);
    const notices = process.events
      .map(({ message }) => message as string)
      .filter((text) => text?.includes("RLIMIT_MEMLOCK"));
    assertEquals(notices.length, told, `${kib}`);
    for (const notice of notices) {
      assert(
        notice.includes(`takes 4640 KiB, and RLIMIT_MEMLOCK is ${kib} KiB;`),
        notice,
      );
      assertMatch(notice, /LimitMEMLOCK=4640K .*'ulimit -l 4640'/);
    }
  }
}, ["setpriv", "prlimit", "cmp"]);

uringTest("the entries of a ring are locked too", async (dir) => {
  const { image, mountpoint } = await imageIn(dir);
  const args = ["-q2", "--transport=uring", "--queue-memory=16M"];
  const line = [...args, image, mountpoint];
  await using process = await ExportProcess.start(line);
  const locked = await lockedBytes(process.pid);
  // The payloads, the heads, and memory to read FORGET and INTERRUPT into.
  assert(locked >= 16 * MIB && locked < 18 * MIB, `${locked}`);
  assertEquals((await process.stop()).code, 0);
});
