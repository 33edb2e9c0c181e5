import { assert, assertEquals, assertMatch } from "@std/assert";
import {
  assertSame,
  ExportProcess,
  imageIn,
  isMounted,
  item,
  MIB,
  must,
  runMain,
} from "./_checklist.ts";

item(17, "four queues take qemu-img's benchmark", async (directory) => {
  const { mountpoint } = await imageIn(directory, MIB);
  await using process = await ExportProcess.start([
    "-q4",
    "null:4G",
    mountpoint,
  ]);
  await must("qemu-img", "bench", "-f", "raw", mountpoint);
  assertEquals((await process.stop()).code, 0);
  const { totals } = process;
  assertEquals(totals.map(({ errors }) => errors), [0, 0, 0, 0]);
  const reads = totals.reduce((sum, { reads }) => sum + reads, 0);
  assert(reads >= 75_000, `${reads} reads`);
}, ["qemu-img"]);

item(18, "numbers of queues that cannot be are refused", async (directory) => {
  // QEMU's array of I/O threads is our number of queues.
  const { image, mountpoint } = await imageIn(directory, MIB);
  const cases: [string, RegExp][] = [
    ["--queues=0", /--queues/],
    ["--queues=", /Cannot use --queues without a value/],
    ["--queues=nothread", /Cannot use nothread queues/],
    ["--queues=-1", /--queues/],
    ["--queues=2.5", /--queues/],
    ["--queues=1000000", /--queues/],
  ];
  for (const [option, message] of cases) {
    const args = ["export", option, image, mountpoint];
    const { code, stderr } = await runMain(args);
    assertEquals(code, 2, option);
    assertMatch(stderr, message);
    assertEquals(isMounted(mountpoint), false);
  }
  await using one = await ExportProcess.start(["-q1", image, mountpoint]);
  assertEquals(one.ready.queues, 1);
  await assertSame(mountpoint, image);
  assertEquals((await one.stop()).code, 0);
}, ["qemu-img"]);

item(24, "parallel writes keep their data apart", async (directory) => {
  const size = 64 * MIB;
  const { image, mountpoint } = await imageIn(directory, size);
  const target = `${directory}/target`;
  await Deno.create(target).then((file) => file.close());
  await Deno.truncate(target, size);
  await using process = await ExportProcess.start(["-wq4", target, mountpoint]);
  const formats = ["-n", "-f", "raw", "-O", "raw", "-t", "none"];
  const parallel = ["-W", "-m", "16"];
  await must("qemu-img", "convert", ...formats, ...parallel, image, mountpoint);
  await assertSame(mountpoint, image);
  assertEquals((await process.stop()).code, 0);
  await must("cmp", target, image);
}, ["qemu-img", "cmp"]);

/** A section of a job file: waits for the ones before it. */
function section(rw: string, jobs: number, how: readonly string[]): string[] {
  const name = `--name=${rw}-${how[0]!.replace(/.*=/, "")}-${jobs}`;
  return [name, "--stonewall", `--rw=${rw}`, `--numjobs=${jobs}`, ...how];
}

item(25, "the benchmarks of QEMU's authors run", async (directory) => {
  const { image, mountpoint } = await imageIn(directory, 16 * MIB);
  const args = ["-wq4", image, mountpoint];
  await using process = await ExportProcess.start(args);
  const kinds = ["read", "write", "randread", "randwrite"];
  const libaio = (depth: number) => [
    "--ioengine=libaio",
    `--iodepth=${depth}`,
    "--direct=1",
  ];
  // Sections wait for each other, whole runs of fio need not.
  const ran = await Promise.all([
    runSections(mountpoint, kinds, libaio(16)),
    runSections(mountpoint, kinds, ["--ioengine=pvsync2", "--iodepth=1"]),
    runSections(mountpoint, ["randrw"], [...libaio(64), "--rwmixread=70"]),
  ]);
  assertEquals(ran, [8, 8, 2]);
  assertEquals((await process.stop()).code, 0);
  for (const { errors } of process.totals) assertEquals(errors, 0);
}, ["fio"]);

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
