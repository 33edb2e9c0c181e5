import { assert } from "@std/assert";
import { kernelTest } from "../requirements.ts";
import { ExportProcess, imageIn, inDirectory, must } from "./_harness.ts";

const MIB = 1 << 20;
const SETTLE_MS = 1000;
const IDLE_MS = 6000;
const MOST = 0.005;
/** sysconf(_SC_CLK_TCK) of every Linux there is. */
const MS_PER_TICK = 10;

kernelTest(
  "an idle export uses less than half a percent of a CPU",
  () =>
    inDirectory(async (directory) => {
      const { mountpoint } = await imageIn(directory, 16 * MIB);
      const args = ["--queues=4", "pattern:16M", mountpoint];
      await using process = await ExportProcess.start(args);
      // Queues that poll while they are busy have to stop by themselves.
      await must("dd", `if=${mountpoint}`, "of=/dev/null", "bs=4k");
      await sleep(SETTLE_MS);
      const before = await cpuMs(process.pid);
      await sleep(IDLE_MS);
      const used = await cpuMs(process.pid) - before;
      assert(used < MOST * IDLE_MS, `${used} ms in ${IDLE_MS} ms`);
    }),
  ["dd"],
);

/** utime and stime of a process, all threads, in milliseconds: proc(5). */
async function cpuMs(pid: number): Promise<number> {
  const stat = await Deno.readTextFile(`/proc/${pid}/stat`);
  const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
  return (Number(fields[11]) + Number(fields[12])) * MS_PER_TICK;
}

function sleep(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}
