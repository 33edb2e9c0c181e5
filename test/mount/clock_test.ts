/**
 * A wall clock that is set back delays nothing.
 *
 * @module
 */
import { assertEquals, assertLess, assertMatch } from "@std/assert";
import { ClockBack } from "./_clock_back.ts";
import { endHanging, holdOpen } from "./_ending.ts";
import {
  ExportProcess,
  imageIn,
  isMounted,
  mountTest,
  must,
  runMain,
  sideBySide,
  within,
} from "./_harness.ts";

/** The longest time that an end or a command may take on a busy machine. */
const LIMIT_MS = 15_000;
const HOUR_MS = 3_600_000;

/** Requires that a promise is settled in time. */
async function inTime<T>(promise: Promise<T>, what: string): Promise<T> {
  return await within(promise, what, LIMIT_MS);
}

/** Requires that Deno sees such a clock. */
async function assertGoesBack({ options }: ClockBack): Promise<void> {
  const { wrapper = [], env } = options;
  const [program, ...args] = [...wrapper, Deno.execPath()];
  const { stdout } = await new Deno.Command(program!, {
    args: [...args, "eval", "console.log(Date.now())"],
    ...env === undefined ? {} : { env },
  }).output();
  const ms = Number(new TextDecoder().decode(stdout));
  assertLess(ms, Date.now() - HOUR_MS / 2);
}

/** Starts an export of memory under such a clock. */
async function start(
  directory: string,
  { options }: ClockBack,
  ...args: string[]
): Promise<ExportProcess> {
  const { mountpoint } = await imageIn(directory, 0);
  const line = ["-w", ...args, "memory:1M", mountpoint];
  return await ExportProcess.start(line, options);
}

/** Ends an export while a program has the file open. */
async function endInUse(directory: string, clock: ClockBack): Promise<void> {
  await using process = await start(directory, clock, "--stop-timeout=1");
  const mountpoint = process.ready.mountpoint as string;
  await using _ = await holdOpen(mountpoint);
  process.signal("SIGTERM");
  const { code, stderr } = await inTime(process.ended, "ending a file in use");
  assertEquals(code, 1, stderr);
  assertMatch(stderr, /while it was in use by /);
  assertEquals(isMounted(mountpoint), false);
}

/** Unmounts an export by umount(8). */
async function unmount(directory: string, clock: ClockBack): Promise<void> {
  await using process = await start(directory, clock);
  await must("umount", process.ready.mountpoint as string);
  const { code, stderr } = await inTime(process.ended, "ending on umount(8)");
  assertEquals(code, 0, stderr);
}

/** Gives commands to an export that answers, then to one that does not. */
async function command(directory: string, clock: ClockBack): Promise<void> {
  const control = `${directory}/sock`;
  const option = `--control=${control}`;
  await using process = await start(directory, clock, option);
  const ctl = (...args: string[]) => {
    const line = ["ctl", "--timeout=2", control, ...args];
    return inTime(runMain(line, clock.options), "ctl");
  };
  const resized = await ctl("resize", "512K");
  assertEquals(resized.code, 0, resized.stderr);
  process.signal("SIGSTOP");
  const { code, stderr } = await ctl("query");
  assertEquals(code, 1);
  assertMatch(stderr, /Cannot read the reply from .*: none came within 2 s/);
  process.signal("SIGCONT");
  assertEquals((await ctl("stop")).code, 0);
  assertEquals((await inTime(process.ended, "ending on ctl")).code, 0);
}

mountTest(
  "an export and ctl end in time although the clock is set back",
  async (directory, t) => {
    const own = async (name: string) => {
      const path = `${directory}/${name}`;
      await Deno.mkdir(path);
      return path;
    };
    using clock = new ClockBack(directory);
    await assertGoesBack(clock);
    await sideBySide(t, [
      ["with a file in use", async () => endInUse(await own("use"), clock)],
      [
        "with an image that hangs",
        () => endHanging(directory, 1, LIMIT_MS, clock.options),
      ],
      ["by umount(8)", async () => unmount(await own("umount"), clock)],
      ["commands", async () => command(await own("ctl"), clock)],
    ]);
  },
  ["faketime", "umount"],
);
