import { assert, assertEquals } from "@std/assert";
import {
  assertSame,
  checklist,
  eventually,
  ExportProcess,
  imageIn,
  MIB,
  mountTest,
  must,
  pause,
  randomFile,
  run,
} from "./_harness.ts";

/** The time in which an export must become idle after its last request. */
const SETTLE_MS = 500;
/** How long its use of the CPU is then measured. */
const IDLE_MS = 3000;
/** CPU time of an idle export, as a part of all time. */
const IDLE_MAX = 0.005;
const NS_PER_MS = 1e6;

/**
 * Requires that no queue replied with an error; returns the sum of one of the
 * totals.
 */
function sumOf(
  { totals }: ExportProcess,
  key: "reads" | "bytesRead" | "bytesWritten",
): number {
  const failed = totals.filter(({ errors }) => errors > 0);
  assertEquals(failed, [], "requests were answered with errors");
  return totals.reduce((sum, each) => sum + each[key], 0);
}

mountTest("every queue takes part in reading", async (directory) => {
  const { image, mountpoint } = await imageIn(directory, 64 * MIB);
  const args = ["--queues=4", image, mountpoint];
  await using process = await ExportProcess.start(args);
  await must("cmp", image, mountpoint);
  assertEquals((await process.stop()).code, 0);
  for (const { requests } of process.totals) assert(requests > 0);
  assertEquals(sumOf(process, "bytesRead"), 64 * MIB);
}, ["cmp"]);

mountTest("every queue takes part in writing", async (directory) => {
  const { image, mountpoint } = await imageIn(directory, 32 * MIB);
  const wanted = `${directory}/wanted`;
  await randomFile(wanted, 32 * MIB);
  await using process = await ExportProcess.start(["-wq4", image, mountpoint]);
  // Small blocks for some and large ones for others.
  await Promise.all([4, 64, 256, 1024].map((kib, part) => {
    const count = 8 * 1024 / kib;
    const from = part * count;
    const range = [`count=${count}`, `skip=${from}`, `seek=${from}`];
    const files = [`if=${wanted}`, `of=${mountpoint}`, `bs=${kib}k`];
    return must("dd", ...files, ...range, "conv=notrunc");
  }));
  await must("cmp", wanted, mountpoint);
  assertEquals((await process.stop()).code, 0);
  for (const { requests } of process.totals) assert(requests > 0);
  assertEquals(sumOf(process, "bytesWritten"), 32 * MIB);
  await must("cmp", wanted, image);
}, ["cmp"]);

mountTest(
  checklist(24, "parallel writes do not mix their data"),
  async (directory) => {
    const size = 64 * MIB;
    const { image, mountpoint } = await imageIn(directory, size);
    const target = `${directory}/target`;
    await Deno.writeTextFile(target, "");
    await Deno.truncate(target, size);
    const args = ["-wq4", target, mountpoint];
    await using process = await ExportProcess.start(args);
    const formats = ["-n", "-f", "raw", "-O", "raw", "-t", "none"];
    const copy = ["convert", ...formats, "-W", "-m", "16", image, mountpoint];
    await must("qemu-img", ...copy);
    await assertSame(mountpoint, image);
    assertEquals((await process.stop()).code, 0);
    await must("cmp", target, image);
  },
  ["qemu-img", "cmp"],
);

mountTest(
  checklist(17, "four queues serve qemu-img's benchmark"),
  async (directory) => {
    const { mountpoint } = await imageIn(directory, MIB);
    const args = ["-q4", "null:4G", mountpoint];
    await using process = await ExportProcess.start(args);
    await must("qemu-img", "bench", "-f", "raw", mountpoint);
    assertEquals((await process.stop()).code, 0);
    const reads = sumOf(process, "reads");
    assert(reads >= 75_000, `${reads} reads`);
  },
  ["qemu-img"],
);

/** A section of a job file of fio, which waits for the ones before it. */
function section(rw: string, jobs: number, how: readonly string[]): string[] {
  const name = `--name=${rw}-${how[0]!.replace(/.*=/, "")}-${jobs}`;
  return [name, "--stonewall", `--rw=${rw}`, `--numjobs=${jobs}`, ...how];
}

mountTest(
  checklist(25, "the benchmarks of QEMU's authors run"),
  async (directory) => {
    const { image, mountpoint } = await imageIn(directory, 16 * MIB);
    const args = ["-wq4", image, mountpoint];
    await using process = await ExportProcess.start(args);
    const kinds = ["read", "write", "randread", "randwrite"];
    const libaio = (depth: number) => [
      "--ioengine=libaio",
      `--iodepth=${depth}`,
      "--direct=1",
    ];
    // Sections wait for each other; whole runs of fio need not.
    const ran = await Promise.all([
      runSections(mountpoint, kinds, libaio(16)),
      runSections(mountpoint, kinds, ["--ioengine=pvsync2", "--iodepth=1"]),
      runSections(mountpoint, ["randrw"], [...libaio(64), "--rwmixread=70"]),
    ]);
    assertEquals(ran, [8, 8, 2]);
    assertEquals((await process.stop()).code, 0);
    for (const { errors } of process.totals) assertEquals(errors, 0);
  },
  ["fio"],
);

/** Runs each kind of access with one and with four jobs; how many ran. */
async function runSections(
  path: string,
  kinds: readonly string[],
  how: readonly string[],
): Promise<number> {
  const sections = [1, 4].flatMap((jobs) =>
    kinds.flatMap((rw) => section(rw, jobs, how))
  );
  const common = [`--filename=${path}`, "--bs=4k", "--size=16M"];
  const limits = ["--io_size=1M", "--group_reporting", "--output-format=json"];
  const said = await must("fio", ...common, ...limits, ...sections);
  const { jobs } = JSON.parse(said.slice(said.indexOf("{")));
  for (const { jobname, error } of jobs) assertEquals(error, 0, jobname);
  return jobs.length;
}

mountTest(
  "an idle export sleeps in read(2) and uses less than 0.5 % of a CPU",
  async (directory, t) => {
    const { mountpoint } = await imageIn(directory, 16 * MIB);
    const args = ["-q4", "pattern:16M", mountpoint];
    await using process = await ExportProcess.start(args);
    // Queues that poll while they are busy have to stop by themselves.
    await must("dd", `if=${mountpoint}`, "of=/dev/null", "bs=4k");
    await pause(SETTLE_MS);
    await t.step("each queue on a descriptor of its own", async () => {
      await eventually(
        async () => (await readingDescriptors(process.pid)).size === 4,
        "four threads read from /dev/fuse",
      );
    });
    const before = await cpuMs(process.pid);
    await pause(IDLE_MS);
    const used = await cpuMs(process.pid) - before;
    assert(used < IDLE_MAX * IDLE_MS, `${used} ms in ${IDLE_MS} ms`);
    assertEquals((await process.stop()).code, 0);
  },
);

/** Descriptors of /dev/fuse that threads of a process sleep in read(2) on. */
async function readingDescriptors(pid: number): Promise<Set<number>> {
  const read = Deno.build.arch === "aarch64" ? "63" : "0";
  const found = new Set<number>();
  for await (const { name } of Deno.readDir(`/proc/${pid}/task`)) {
    const path = `/proc/${pid}/task/${name}/syscall`;
    const [call, fd] = (await Deno.readTextFile(path)).split(" ");
    if (call !== read || fd === undefined) continue;
    const file = await Deno.readLink(`/proc/${pid}/fd/${Number(fd)}`);
    if (file === "/dev/fuse") found.add(Number(fd));
  }
  return found;
}

/** CPU time of a process, all threads, in milliseconds: see schedstat. */
async function cpuMs(pid: number): Promise<number> {
  let sum = 0;
  for await (const { name } of Deno.readDir(`/proc/${pid}/task`)) {
    const path = `/proc/${pid}/task/${name}/schedstat`;
    // A thread may end meanwhile.
    const stat = await Deno.readTextFile(path).catch(() => "0");
    sum += Number(stat.split(" ")[0]);
  }
  return sum / NS_PER_MS;
}

mountTest(
  "a killed client does not disturb others",
  async (directory) => {
    const { image, mountpoint } = await imageIn(directory);
    await using process = await ExportProcess.start([image, mountpoint]);
    const line = ["-s", "KILL", "0.2", "cat", "/dev/zero", mountpoint];
    await Promise.all([1, 2, 3, 4].map(() => run("timeout", ...line)));
    await must("cmp", image, mountpoint);
    assertEquals((await process.stop()).code, 0);
  },
  ["cmp"],
);
