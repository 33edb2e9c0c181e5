import { assert, assertEquals } from "@std/assert";
import { parseResults, type Results } from "../../bench/exports/results.ts";
import { readMounts } from "../../src/linux/mount/mountinfo.ts";
import { eventually, mountTest, sideBySide, within } from "./_harness.ts";

const MAIN = new URL("../../bench/exports/main.ts", import.meta.url).pathname;
const LIMIT_S = 50;
/** CPU time of an idle export soon after its start, as a share of the time. */
const IDLE_SOON = 0.05;

/** Starts a measurement of exports over /dev/fuse and of the file. */
function start(directory: string, ...args: string[]): Deno.ChildProcess {
  return new Deno.Command("timeout", {
    // In the foreground timeout(1) forwards each signal once.
    args: [
      "--foreground",
      "-k",
      "5",
      String(LIMIT_S),
      Deno.execPath(),
      "run",
      "-A",
      MAIN,
      "--quick",
      "--size=64M",
      `--directory=${directory}`,
      `--disk=${directory}`,
      `--results=${resultsOf(directory)}`,
      ...args,
    ],
    stdin: "null",
    stdout: "piped",
    stderr: "piped",
  }).spawn();
}

function resultsOf(directory: string): string {
  return `${directory}/results.json`;
}

async function readResults(directory: string): Promise<Results> {
  const path = resultsOf(directory);
  return parseResults(await Deno.readTextFile(path), path);
}

/** Waits for its end; requires that no file or mount remains. */
async function ended(child: Deno.ChildProcess, directory: string) {
  const { code, stdout, stderr } = await within(
    child.output(),
    "the measurement",
    LIMIT_S * 1000,
  );
  assertEquals(mountsBelow(directory), []);
  for await (const { name } of Deno.readDir(directory)) {
    assert(!name.startsWith("mqfuse-bench-"), name);
  }
  const [out, err] = [stdout, stderr].map((bytes) =>
    new TextDecoder().decode(bytes)
  );
  return { code, out: out!, err: err! };
}

function mountsBelow(directory: string): string[] {
  return readMounts().map(({ mountPoint }) => mountPoint)
    .filter((path) => path.startsWith(`${directory}/`));
}

/** Processes in the directory of a measurement that match a pattern. */
function processesAt(path: string, pattern: RegExp = /./): number[] {
  return processesNaming(`${path}/mqfuse-bench-`, pattern);
}

/** Processes whose command line has a text and matches a pattern. */
function processesNaming(text: string, pattern: RegExp): number[] {
  return [...Deno.readDirSync("/proc")].flatMap(({ name }) => {
    if (!/^\d+$/.test(name)) return [];
    try {
      const line = Deno.readTextFileSync(`/proc/${name}/cmdline`);
      const isIt = line.includes(text) && pattern.test(line);
      return isIt ? [Number(name)] : [];
    } catch {
      return [];
    }
  });
}

const FIO = /^[^\0]*fio\0/;
const SERVER = /\0export\0/;

async function measures(directory: string): Promise<void> {
  const child = start(
    directory,
    "--only=null:randread:aio:1,disk:randread:aio:1",
    "--servers=mqfuse-n,qemu-t0,file",
    // A server that does not mount is left out; the others are measured.
    "--qemu=/bin/false",
    `--markdown=${directory}/report.md`,
    `--svg=${directory}/report.svg`,
  );
  const { code, out, err } = await ended(child, directory);
  assertEquals([code, err], [0, ""]);
  const { samples, machine, notes, done } = await readResults(directory);
  assertEquals(
    samples.filter(({ server }) => !/-q\d$/.test(server))
      .map(({ cell, server }) => `${cell} ${server}`),
    [
      "null:randread:aio:1 mqfuse-n",
      "disk:randread:aio:1 mqfuse-n",
      "disk:randread:aio:1 file",
    ],
  );
  for (const { iops, p99Us, server, serverUs } of samples) {
    assert(iops > 0 && p99Us > 0);
    // A run is so short that the clock may not have ticked for the server.
    assertEquals(serverUs === null, server === "file");
  }
  assertEquals(machine.cpus, navigator.hardwareConcurrency);
  assertEquals(notes.length, 2);
  assert(notes.every((note) => note.includes("qemu-t0")), notes.join());
  assertEquals(done, ["null:randread:aio:1", "disk:randread:aio:1"]);
  assert(out.includes("randread aio, 1 job"), out);
  assert(
    (await Deno.readTextFile(`${directory}/report.svg`)).includes("<svg"),
  );
  const report = await Deno.readTextFile(`${directory}/report.md`);
  assert(report.includes("(report.svg)") && !report.includes(directory));
}

async function resumes(directory: string): Promise<void> {
  const options = [
    "--only=null:read:sync:1,null:write:sync:1",
    "--servers=mqfuse-n",
    "--runtime=2",
  ];
  const ends = async (...more: string[]) =>
    await ended(start(directory, ...options, ...more), directory);
  const none = await ends("--time-limit=0.00001");
  assertEquals(none.code, 1, none.out);
  const words =
    "by the time limit; the same command goes on with: null:read:sync:1,null:write:sync:1\n";
  assert(none.out.includes(words), none.out);
  const first = start(directory, ...options);
  const output = ended(first, directory);
  await eventually(
    async () => (await readResults(directory)).done.length === 1,
    "the first cell",
  );
  first.kill("SIGINT");
  assertEquals((await output).code, 1);
  const before = await readResults(directory);
  assertEquals(before.done, ["null:read:sync:1"]);
  const { code, out } = await ends();
  assertEquals(code, 0, out);
  const { samples, done } = await readResults(directory);
  assertEquals(done, ["null:read:sync:1", "null:write:sync:1"]);
  assertEquals(samples.slice(0, before.samples.length), before.samples);
}

/** A program on an export, and an export without load. */
async function runsPrograms(directory: string): Promise<void> {
  const child = start(
    directory,
    "--only=idle:n,programs:mkfs",
    "--servers=mqfuse-n",
    "--runtime=0.1",
  );
  const { code, out, err } = await ended(child, directory);
  assertEquals([code, err], [0, ""], out);
  const { runs, idle } = await readResults(directory);
  assertEquals(runs.map(({ program, server }) => `${program} ${server}`), [
    "mkfs mqfuse-n",
  ]);
  assert(runs[0]!.seconds > 0);
  // Other tests run at the same time: they cost time, but no CPU of the server.
  assertEquals(idle.length, 1);
  assert(idle[0]!.share < IDLE_SOON, `${idle[0]!.share}`);
}

async function endsOnCtrlC(directory: string): Promise<void> {
  const child = start(
    directory,
    "--only=null:randread",
    "--servers=mqfuse-n",
    "--runtime=10",
  );
  const output = ended(child, directory);
  try {
    await eventually(
      () => processesAt(directory, FIO).length > 0,
      "running fio",
    );
    assert(mountsBelow(directory).length > 0);
  } finally {
    child.kill("SIGINT");
  }
  const { code, out } = await output;
  assertEquals(code, 1, out);
  const words =
    "was ended by SIGINT; the same command goes on with: null:randread:aio:1,";
  assert(out.includes(words), out);
  assertEquals(processesAt(directory), []);
}

async function cleansUpWhenKilled(directory: string): Promise<void> {
  const child = start(
    directory,
    "--only=null:randread",
    "--servers=mqfuse-n",
    "--runtime=10",
  );
  const output = child.output();
  await eventually(
    () => processesAt(directory, FIO).length > 0,
    "running fio",
  );
  const isMeasurement = /bench\/exports\/main\.ts/;
  for (const pid of processesNaming(directory, isMeasurement)) {
    Deno.kill(pid, "SIGKILL");
  }
  await output;
  await eventually(
    () =>
      mountsBelow(directory).length === 0 &&
      processesAt(directory, SERVER).length === 0 &&
      [...Deno.readDirSync(directory)].length === 0,
    "clean-up",
  );
}

async function restartsServer(directory: string): Promise<void> {
  const child = start(
    directory,
    "--only=null:read:sync:1",
    "--servers=mqfuse-n",
    "--rounds=2",
    "--runtime=2",
  );
  const output = ended(child, directory);
  await eventually(
    () => processesAt(directory, FIO).length > 0,
    "running fio",
  );
  for (const pid of processesAt(directory, SERVER)) {
    Deno.kill(pid, "SIGKILL");
  }
  const { code, out } = await output;
  assertEquals(code, 0, out);
  assert(out.includes("mqfuse-n failed in null:read:sync:1"), out);
  const { samples } = await readResults(directory);
  assert(samples.some(({ server }) => server === "mqfuse-n"));
}

mountTest("bench:exports", async (directory, t) => {
  const cases = [
    ["measures real exports and the file itself", measures],
    ["goes on where its time limit ended it", resumes],
    ["times programs, and exports without load", runsPrograms],
    ["ends all servers and mounts on Ctrl-C", endsOnCtrlC],
    ["cleans up after it was killed", cleansUpWhenKilled],
    ["restarts a server that has died", restartsServer],
  ] as const;
  await sideBySide(
    t,
    cases.map(([name, body], i) => [
      name,
      async () => {
        const own = `${directory}/${i}`;
        await Deno.mkdir(own);
        await body(own);
      },
    ]),
  );
}, ["fio", "mkfs.ext4"]);
