import { assert, assertEquals } from "@std/assert";
import { parseResults } from "../../bench/fio/results.ts";
import { readMounts } from "../../src/linux/mount/mountinfo.ts";
import { eventually, mountTest, sideBySide, within } from "./_harness.ts";

const MAIN = new URL("../../bench/fio/main.ts", import.meta.url).pathname;
const LIMIT_S = 50;

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
      ...args,
    ],
    stdin: "null",
    stdout: "piped",
    stderr: "piped",
  }).spawn();
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
    assert(!name.startsWith("mqfuse-fio-"), name);
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

/** Processes of a measurement whose command line matches a pattern. */
function processesAt(path: string, pattern: RegExp = /./): number[] {
  return [...Deno.readDirSync("/proc")].flatMap(({ name }) => {
    if (!/^\d+$/.test(name)) return [];
    try {
      const line = Deno.readTextFileSync(`/proc/${name}/cmdline`);
      const isIt = line.includes(`${path}/mqfuse-fio-`) && pattern.test(line);
      return isIt ? [Number(name)] : [];
    } catch {
      return [];
    }
  });
}

const FIO = /^[^\0]*fio\0/;
const SERVER = /\0export\0/;

async function measures(directory: string): Promise<void> {
  const json = `${directory}/results.json`;
  const child = start(
    directory,
    "--cells=null:randread:aio:1,file:write:sync:1",
    "--servers=mqfuse-device-q2,qemu-t0,file",
    // A server that does not mount is left out; the others are measured.
    "--qemu=/bin/false",
    `--json=${json}`,
    `--markdown=${directory}/report.md`,
    `--svg=${directory}/report.svg`,
  );
  const { code, out, err } = await ended(child, directory);
  assertEquals([code, err], [0, ""]);
  const { samples, machine, notes } = parseResults(
    await Deno.readTextFile(json),
    json,
  );
  assertEquals(
    samples.map(({ cell, server }) => `${cell} ${server}`),
    [
      "null:randread:aio:1 mqfuse-device-q2",
      "file:write:sync:1 mqfuse-device-q2",
      "file:write:sync:1 file",
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
  assert(out.includes("write sync, 1 job"), out);
  assert(
    (await Deno.readTextFile(`${directory}/report.svg`)).includes("<svg"),
  );
  const report = await Deno.readTextFile(`${directory}/report.md`);
  assert(report.includes("(report.svg)") && !report.includes(directory));
}

async function keepsTimeLimit(directory: string): Promise<void> {
  const child = start(
    directory,
    "--cells=null:read:sync:1,null:write:sync:1",
    "--servers=mqfuse-device-q1",
    "--runtime=5",
    "--time-limit=0.08",
  );
  const { code, out } = await ended(child, directory);
  assertEquals(code, 1, out);
  assert(out.includes("time limit, before these: null:write:sync:1\n"), out);
  assert(/^read sync, 1 job +[\d.]+ q1/m.test(out), out);
}

async function endsOnCtrlC(directory: string): Promise<void> {
  const json = `${directory}/results.json`;
  const child = start(
    directory,
    "--cells=null:randread",
    "--servers=mqfuse-device",
    "--runtime=10",
    `--json=${json}`,
  );
  const output = ended(child, directory);
  try {
    await eventually(
      () => processesAt(directory, FIO).length > 0,
      "running fio",
    );
    assertEquals(mountsBelow(directory).length, 3);
  } finally {
    child.kill("SIGINT");
  }
  const { code, out } = await output;
  assertEquals(code, 1, out);
  const words =
    "The measurement was ended by SIGINT, before these: null:randread:aio:1,";
  assert(out.includes(words), out);
  assertEquals(processesAt(directory), []);
}

async function restartsServer(directory: string): Promise<void> {
  const json = `${directory}/results.json`;
  const child = start(
    directory,
    "--cells=null:read:sync:1",
    "--servers=mqfuse-device-q1",
    "--rounds=2",
    "--runtime=2",
    `--json=${json}`,
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
  assert(out.includes("mqfuse-device-q1 failed in null:read:sync:1"), out);
  const { samples } = parseResults(await Deno.readTextFile(json), json);
  assertEquals(samples.length, 1);
}

mountTest("bench:fio", async (directory, t) => {
  const cases = [
    ["measures real exports and the file itself", measures],
    ["begins no cell after its time limit", keepsTimeLimit],
    ["ends all servers and mounts on Ctrl-C", endsOnCtrlC],
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
}, ["fio"]);
