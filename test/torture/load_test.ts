import { assert, assertEquals } from "@std/assert";
import { ExportProcess, imageIn, MIB } from "../mount/_harness.ts";
import { torture } from "./_harness.ts";
import { amount, isFull, tell } from "./_scale.ts";

/** How long fio runs. */
const SECONDS = amount(20, 600);
/** Memory may grow until then: for a minute, or a third of a short run. */
const SETTLE_S = isFull ? Math.min(60, SECONDS / 3) : SECONDS / 3;
/** In 20 s, V8 has not yet collected all garbage; a leak shows in full runs. */
const GROWTH_MAX = isFull ? 1.05 : 1.15;
const QUEUES = 4;
/**
 * The smallest new space of a Worker, in MiB, so that what is resident is what
 * is retained: V8 doubles the new space as time passes, within a bound, and makes
 * it smaller only while a Worker makes less than 1 MB of garbage a second
 * (`Heap::ReduceNewSpaceSize`).
 */
const NEW_SPACE_MIB = 1;

/** Resident memory of a process in KiB. */
async function residentKib(pid: number): Promise<number> {
  const status = await Deno.readTextFile(`/proc/${pid}/status`);
  return Number(/^VmRSS:\s*(\d+)/m.exec(status)![1]);
}

function median(numbers: readonly number[]): number {
  return numbers.toSorted((a, b) => a - b)[numbers.length >> 1]!;
}

/** Samples the memory every half second until a promise is settled. */
async function watch(
  pid: number,
  done: Promise<unknown>,
): Promise<{ s: number; kib: number }[]> {
  const samples: { s: number; kib: number }[] = [];
  const start = performance.now();
  let isDone = false;
  done.finally(() => isDone = true);
  while (!isDone) {
    await new Promise((resolve) => setTimeout(resolve, 500));
    const s = (performance.now() - start) / 1000;
    samples.push({ s, kib: await residentKib(pid) });
  }
  return samples.filter(({ s }) => s < SECONDS);
}

torture(
  "memory stays flat under eight jobs of mixed I/O at depth 256",
  async (directory) => {
    const { image, mountpoint } = await imageIn(directory, 64 * MIB);
    const args = [`-wq${QUEUES}`, image, mountpoint];
    const v8 = `--v8-flags=--max-semi-space-size=${NEW_SPACE_MIB}`;
    const options = {
      lifeS: SECONDS + 120,
      permissions: ["--allow-ffi", v8],
    };
    await using process = await ExportProcess.start(args, options);
    const fio = new Deno.Command("timeout", {
      args: ["-k", "2", String(SECONDS + 60), "fio", "--name=mixed"].concat(
        `--filename=${mountpoint}`,
        "--rw=randrw",
        "--rwmixread=60",
        "--ioengine=libaio",
        "--direct=1",
        "--iodepth=256",
        "--numjobs=8",
        "--bssplit=4k/60:16k/20:64k/15:256k/5",
        "--size=64M",
        "--time_based",
        `--runtime=${SECONDS}`,
        "--group_reporting",
        "--output-format=json",
      ),
      stdin: "null",
    }).output();
    const samples = await watch(process.pid, fio);
    const { code, stdout, stderr } = await fio;
    const decoder = new TextDecoder();
    const said = decoder.decode(stdout);
    assertEquals(code, 0, said + decoder.decode(stderr));
    const { jobs } = JSON.parse(said.slice(said.indexOf("{")));
    assertEquals(jobs[0].error, 0);
    assertEquals(jobs[0].total_err ?? 0, 0);
    assertEquals((await process.stop()).code, 0);
    for (const { errors, reads, writes } of process.totals) {
      assertEquals(errors, 0);
      assert(reads > 0 && writes > 0);
    }
    assertFlat(samples);
  },
  { programs: ["fio"], limitS: SECONDS + 150 },
);

/** Compares the third after settling with the last third. */
function assertFlat(samples: readonly { s: number; kib: number }[]): void {
  const settled = samples.filter(({ s }) => s >= SETTLE_S);
  const third = Math.ceil(settled.length / 3);
  const kibs = settled.map(({ kib }) => kib);
  const early = median(kibs.slice(0, third));
  const late = median(kibs.slice(-third));
  const percent = (100 * (late / early - 1)).toFixed(1);
  const text =
    `${SECONDS} s of load: ${early} KiB, then ${late} (${percent} %)`;
  tell(text);
  assert(late / early < GROWTH_MAX, text);
}
