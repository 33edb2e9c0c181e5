import { assert, assertEquals } from "@std/assert";
import { ExampleProcess } from "../mount/_example.ts";
import { eventually, ExportProcess } from "../mount/_harness.ts";
import { runFor } from "../mount/_clients.ts";
import { torture } from "./_harness.ts";
import { amount, isFull, tell } from "./_scale.ts";

const READS = amount(200, 1000);
const LOCKS = amount(50, 200);
const INTERRUPTS = amount(3, 30);
const NOTIFICATIONS = amount(5_000, 100_000);
const OPERATIONS = amount(3_000, 300_000);
const NAMES = amount(3_000, 30_000);
/** How long reads of the slow file take. */
const SLOW_MS = 6000;
/** For most calls: other programs delay some. */
const LIMIT_MS = isFull ? 50 : 500;

const BUSY = new URL("./_busy_program.ts", import.meta.url).pathname;
const EXERCISER = new URL("./_file_exerciser.py", import.meta.url).pathname;
const CLIENT = new URL("./_busy_client.py", import.meta.url).pathname;
const MEMORY = "../test/mount/_memory_program.ts";

async function mountBusy(
  directory: string,
  notifications = 0,
): Promise<[ExportProcess, string]> {
  const mountpoint = `${directory}/mnt`;
  await Deno.mkdir(mountpoint);
  const args = [String(SLOW_MS), String(notifications), mountpoint];
  const options = { main: BUSY, permissions: ["--allow-ffi"], lifeS: 600 };
  return [await ExportProcess.start(args, options), mountpoint];
}

async function useBusy(
  what: string,
  mountpoint: string,
  count: number,
): Promise<Record<string, number> & { readonly took: readonly number[] }> {
  const args = [CLIENT, what, mountpoint, String(count)];
  const { code, stdout, stderr } = await runFor(100, "python3", ...args);
  assertEquals([code, stderr], [0, ""]);
  tell(`${what}: ${stdout.trim()}`);
  return JSON.parse(stdout);
}

torture("a stat is answered while many reads take long", async (directory) => {
  const [process, mountpoint] = await mountBusy(directory);
  await using _ended = process;
  const { early, read, most } = await useBusy("reads", mountpoint, READS);
  assertEquals([early, read], [0, 100 * READS]);
  assert(most! < LIMIT_MS, `a stat took ${most} ms`);
  assertEquals((await process.stop()).code, 0);
}, { programs: ["python3"], limitS: 120 });

torture("a stat is answered while many locks wait", async (directory) => {
  const [process, mountpoint] = await mountBusy(directory);
  await using _ended = process;
  const { early, got, most } = await useBusy("locks", mountpoint, LOCKS);
  assertEquals([early, got], [0, LOCKS]);
  assert(most! < LIMIT_MS, `a stat took ${most} ms`);
  assertEquals((await process.stop()).code, 0);
}, { programs: ["python3"], limitS: 120 });

torture("SIGINT ends a program that waits for a read", async (directory) => {
  const [process, mountpoint] = await mountBusy(directory);
  await using _ended = process;
  const { took } = await useBusy("interrupt", mountpoint, INTERRUPTS);
  const middle = took.toSorted((a, b) => a - b)[took.length >> 1]!;
  assertEquals(took.length, INTERRUPTS);
  assert(middle < LIMIT_MS, `it took ${took} ms`);
  assertEquals((await process.stop()).code, 0);
}, { programs: ["python3"], limitS: 120 });

/** Reads, writes, lists and asks, until told to stop. */
const WORK = `
i=0
while [ ! -e "$2" ]; do
  i=$((i + 1))
  ls -l "$1" > /dev/null || exit 1
  cat "$1/told" > /dev/null || exit 1
  dd if=/dev/zero of="$1/told" bs=4k count=1 conv=notrunc status=none || exit 1
  stat "$1/locked" > /dev/null || exit 1
done
echo $i`;

torture(
  "every method and a timer tell the kernel of changes without a deadlock",
  async (directory) => {
    const [process, mountpoint] = await mountBusy(directory, NOTIFICATIONS);
    await using _ended = process;
    const stop = `${directory}/stop`;
    const clients = [1, 2].map(() =>
      runFor(500, "sh", "-c", WORK, "sh", mountpoint, stop)
    );
    await eventually(
      () =>
        process.events.some((event) => {
          return event.event === "state" && event.settled === NOTIFICATIONS;
        }),
      "all notifications settle",
      400_000,
    );
    await Deno.writeTextFile(stop, "");
    const rounds = await Promise.all(clients);
    for (const { code, stderr } of rounds) {
      assertEquals([code, stderr], [0, ""]);
    }
    assertEquals(process.events.at(-1)?.rejected, 0);
    tell(`${NOTIFICATIONS} notifications, ${rounds.map((r) => r.stdout)}`);
    assertEquals((await process.stop()).code, 0);
  },
  { limitS: 520 },
);

torture(
  "a file is what was written, through a mapping or not, while writes are collected",
  async (directory) => {
    const mountpoint = `${directory}/mnt`;
    await Deno.mkdir(mountpoint);
    for (const options of [{ writeback: true, attrSeconds: 1000 }, {}]) {
      await using process = await ExampleProcess.start(MEMORY, mountpoint, {
        args: [JSON.stringify(options)],
        lifeS: 600,
      });
      const args = [EXERCISER, `${mountpoint}/file`, "7", String(OPERATIONS)];
      const { code, stdout, stderr } = await runFor(400, "python3", ...args);
      assertEquals([code, stderr], [0, ""]);
      tell(`${JSON.stringify(options)}: ${stdout.trim()}`);
      assertEquals(await process.stop("SIGTERM"), 0);
    }
  },
  { programs: ["python3"], limitS: 820 },
);

/** Creates and removes other names beside those that stay. */
const CHURN = `
import os, sys
directory, stop = sys.argv[1:]
i = 0
while not os.path.exists(stop):
    i += 1
    open(f"{directory}/other{i}", "w").close()
    if i > 10:
        os.unlink(f"{directory}/other{i - 10}")
print(i)`;

/** Lists names that stay, and requires each of them once. */
const LIST = `
import os, sys, time
directory, count, rounds = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])
for i in range(rounds):
    names = os.listdir(directory)
    assert len(names) == len(set(names)), "a name was listed twice"
    stay = [name for name in names if name.startswith("stays")]
    assert len(stay) == count, f"{len(stay)} of {count} names were listed"
    for entry in list(os.scandir(directory))[::97]:
        try:
            assert entry.stat().st_nlink == 1 or not entry.name.startswith("stays")
        except FileNotFoundError:
            assert entry.name.startswith("other")`;

torture(
  "a large directory is listed whole while names come and go",
  async (directory) => {
    const mountpoint = `${directory}/mnt`;
    await Deno.mkdir(mountpoint);
    await using process = await ExampleProcess.start(MEMORY, mountpoint, {
      args: ["{}"],
      lifeS: 600,
    });
    const make = `import sys
for i in range(int(sys.argv[2])): open(f"{sys.argv[1]}/stays{i}", "w").close()`;
    const made = await runFor(
      300,
      "python3",
      "-c",
      make,
      mountpoint,
      `${NAMES}`,
    );
    assertEquals([made.code, made.stderr], [0, ""]);
    const stop = `${directory}/stop`;
    const churn = runFor(500, "python3", "-c", CHURN, mountpoint, stop);
    const args = [
      "-c",
      LIST,
      mountpoint,
      String(NAMES),
      String(amount(10, 20)),
    ];
    const { code, stderr } = await runFor(400, "python3", ...args);
    await Deno.writeTextFile(stop, "");
    const { stdout } = await churn;
    assertEquals([code, stderr], [0, ""]);
    assert(Number(stdout) > 10, "names came and went");
    tell(`${NAMES} names, ${stdout.trim()} others came and went`);
    assertEquals(await process.stop("SIGTERM"), 0);
  },
  { programs: ["python3"], limitS: 520 },
);
