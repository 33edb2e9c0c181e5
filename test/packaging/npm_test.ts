import { assertEquals, assertMatch } from "@std/assert";
import {
  eventually,
  exists,
  ExportProcess,
  imageIn,
  inDirectory,
  isMounted,
  MAIN,
  MIB,
  must,
  run,
} from "../mount/_harness.ts";
import { kernelTest } from "../requirements.ts";
import { type InstalledPackage, withPackage } from "./_package.ts";

const TERMINAL = new URL("_terminal.py", import.meta.url).pathname;

/** How long a case may take: starting npx alone takes seconds. */
const CASE_MS = 120_000;

/** How the program is started: directly, or by npx. */
type Launch = readonly [program: string, ...args: string[]];

/** A case, with a test's image. */
type Case = (
  launch: Readonly<Record<"directly" | "byNpx", Launch>>,
  paths: { image: string; mountpoint: string },
) => Promise<void>;

const CASES: Readonly<Record<string, Case>> = {
  "exit status, output and input are those of the program": async (
    { directly, byNpx },
  ) => {
    for (const launch of [directly, byNpx]) {
      const wrong = await run(...launch, "--bogus");
      assertEquals([wrong.code, wrong.stdout], [2, ""]);
      assertMatch(wrong.stderr, /^mqfuse: Unknown option --bogus/);
      const missing = await run(...launch, "info", "/none");
      assertEquals(missing.code, 1);
      const script = 'echo "# a log" | "$@"';
      const piped = await run(
        "sh",
        "-c",
        script,
        "sh",
        ...launch,
        "decode",
        "-",
      );
      assertEquals(piped, { code: 0, stdout: "", stderr: "" });
    }
  },

  "the process that is started is the server, which the pidfile names": async (
    { directly },
    { image, mountpoint },
  ) => {
    const pidfile = `${image}.pid`;
    await using server = await ExportProcess.start(
      [image, mountpoint, "--pidfile", pidfile],
      // Prints the process that becomes the program.
      {
        program: [
          "sh",
          "-c",
          'echo $$ >"$0"; exec "$@"',
          `${image}.sh`,
          ...directly,
        ],
      },
    );
    const pid = `${server.pid}\n`;
    assertEquals(await Deno.readTextFile(pidfile), pid);
    assertEquals(await Deno.readTextFile(`${image}.sh`), pid);
    assertEquals((await server.stop()).code, 0);
  },

  "a server ends with npx, however that is ended": async (
    { byNpx },
    { image, mountpoint },
  ) => {
    for (const user of [[], ["--user=nobody"]]) {
      await using first = await ExportProcess.start(
        [image, mountpoint, ...user],
        { program: byNpx },
      );
      const shell = await parentOf(first.pid);
      Deno.kill(await parentOf(shell), "SIGTERM");
      await first.ended;
      await hasEnded(first.pid, mountpoint);
      // A process that is killed passes nothing on.
      await using second = await ExportProcess.start(
        [image, mountpoint, ...user],
        { program: byNpx },
      );
      Deno.kill(await parentOf(second.pid), "SIGKILL");
      await hasEnded(second.pid, mountpoint);
      await using third = await ExportProcess.start(
        [image, mountpoint, ...user],
        { program: byNpx },
      );
      const waiting = await parentOf(third.pid);
      Deno.kill(await parentOf(waiting), "SIGKILL");
      await hasEnded(third.pid, mountpoint);
      await hasEnded(waiting, mountpoint);
    }
  },

  "an export under nohup(1) survives its terminal": async (
    { directly },
    { image, mountpoint },
  ) => {
    const wrapper = ["sh", "-c", 'trap "" HUP; exec "$@"', "sh"];
    await using server = await ExportProcess.start(
      [image, mountpoint],
      { program: directly, wrapper },
    );
    server.signal("SIGHUP");
    await must("cmp", image, mountpoint);
    assertEquals((await server.stop()).code, 0);
  },

  "Ctrl-C on a terminal counts once, although npx passes it on": async (
    { directly, byNpx },
    { image, mountpoint },
  ) => {
    const line = ["export", "--transport=device", image, mountpoint];
    for (const launch of [directly, byNpx]) {
      const text = await must(
        "python3",
        TERMINAL,
        mountpoint,
        ...launch,
        ...line,
      );
      assertMatch(text, /Stopping on SIGINT/);
      // npm ends as its shell does.
      const status = launch === byNpx ? "-2" : "0";
      assertEquals(text.split("\n").at(-1), status, text);
    }
  },
};

kernelTest(
  "npx runs the package for npm where there is only Node",
  (t) =>
    withPackage(async ({ npx, command, tarball, env }: InstalledPackage) => {
      assertEquals(npx.code, 0, npx.output);
      assertMatch(npx.output, /every byte read was the one written last/);
      const variables = Object.entries(env).map(([k, v]) => `${k}=${v}`);
      const launch = {
        directly: ["env", ...variables, command],
        byNpx: [
          "env",
          ...variables,
          "npx",
          "--offline",
          "-y",
          tarball,
          "mqfuse",
        ],
      } as const;
      for (const [name, body] of Object.entries(CASES)) {
        await t.step(name, () =>
          inDirectory(async (directory) => {
            await body(launch, await imageIn(directory, MIB));
          }, CASE_MS));
      }
    }),
  ["npm", "npx", "find", "python3", "cmp"],
);

kernelTest("a program whose launcher has ended does no work", async () => {
  // The second is the parent of this one, and not of its parent.
  for (const launchers of ["1", `${Deno.pid} ${Deno.pid}`]) {
    await doesNothing(`MQFUSE_LAUNCHER=${launchers}`);
  }
});

async function doesNothing(env: string): Promise<void> {
  const { code, stdout, stderr } = await run(
    "env",
    env,
    Deno.execPath(),
    "run",
    "--allow-ffi",
    MAIN,
    "info",
  );
  assertEquals({ code, stdout, stderr }, { code: 143, stdout: "", stderr: "" });
}

async function hasEnded(pid: number, mountpoint: string): Promise<void> {
  await eventually(() => !isMounted(mountpoint), "the unmount");
  const gone = async () => !await exists(`/proc/${pid}`);
  await eventually(gone, "the end of the server");
}

async function parentOf(pid: number): Promise<number> {
  const status = await Deno.readTextFile(`/proc/${pid}/status`);
  return Number(/^PPid:\s*(\d+)$/m.exec(status)![1]);
}
