import { assert, assertEquals, assertLess, assertMatch } from "@std/assert";
import { RECORDS_MAX } from "../../src/cli/output/bounded_writer.ts";
import { kernelTest } from "../requirements.ts";
import {
  ExportProcess,
  imageIn,
  inDirectory,
  MAIN,
  MIB,
  mountTest,
  must,
  runMain,
  shell,
  sideBySide,
  within,
} from "./_harness.ts";
import { UnreadExport } from "./_stopped_reader.ts";

/** The longest time that an end may take. */
const END_MS = 5000;
const FULL = "Cannot write to standard output: No space left on device";

/** Runs the program in a line of shell, as `mqfuse`. */
async function inShell(line: string, ...args: string[]) {
  const program = `mqfuse() { "${Deno.execPath()}" run --no-prompt ` +
    `--allow-ffi "${MAIN}" "$@"; };`;
  return await shell(`${program} ${line}`, ...args);
}

/** An export whose output nothing reads serves, answers ctl and stops. */
async function obeys(directory: string, options: string[]): Promise<number> {
  await using unread = await UnreadExport.start(directory, options);
  await unread.write(100, "4k");
  await must("cmp", "-n", "4096", unread.mountpoint, "/dev/zero");
  const query = await runMain(["ctl", unread.control, "query"]);
  assertEquals(query.code, 0, query.stderr);
  const { code, ms } = await unread.stop();
  assertEquals(code, 0);
  return ms;
}

const UNREAD: readonly string[][] = [
  [],
  ["--stats=0.1"],
  ["--json", "--stats=0.1"],
  ["--trace"],
  ["--json", "--trace"],
  ["--log-format=json", "--trace", "--stats=0.1"],
  ["--wire"],
];

kernelTest("an export obeys while nothing reads its output", async (t) => {
  await sideBySide(
    t,
    UNREAD.map((options) => [
      options.join(" ") || "plain",
      async () => {
        let ms = Infinity;
        // A busy machine may take longer once.
        for (let i = 0; i < 3 && ms >= END_MS; i++) {
          await inDirectory(async (directory) => {
            ms = await obeys(directory, options);
          }, 90_000);
        }
        assertLess(ms, END_MS);
      },
    ]),
  );
});

mountTest(
  "records that are not read are dropped and counted, and a reader is told where",
  async (directory) => {
    const options = ["--json", "--wire"];
    await using unread = await UnreadExport.start(directory, options);
    // A line has two digits for each byte that is written.
    const mib = RECORDS_MAX / MIB;
    for (let i = 0; i < mib; i++) await unread.write(8, "128k");
    const query = await runMain(["ctl", unread.control, "query", "--json"]);
    const { output } = JSON.parse(query.stdout);
    assert(output.droppedLines > 0, query.stdout);
    const told = await runMain(["ctl", unread.control, "query"]);
    assertMatch(told.stdout, /\d+ lines of output were dropped/);

    // The reader reads again.
    const reading = Deno.readTextFile(unread.pipe);
    const { code } = await unread.stop();
    assertEquals(code, 0);
    const text = (await within(reading, "the reader")).replaceAll("\0", "");
    const lines = text.trimEnd().split("\n").filter((line) =>
      !line.startsWith("mqfuse: ") && !line.startsWith("Exporting ")
    );
    const events = lines.filter((line) => line.startsWith("{"))
      .map((line) => JSON.parse(line));
    const counts = events.filter(({ event }) => event === "dropped")
      .map(({ lines }) => lines);
    const sum = counts.reduce((sum, count) => sum + count, 0);
    assert(sum >= output.droppedLines, `${counts}`);
    // What is there is whole, up to the last event.
    assertEquals(events.at(-1).event, "closed");
    for (const line of lines) {
      assertMatch(line, /^(?:\{.*\}|q\d+ .. [0-9a-f]* @\d+)$/);
    }
  },
);

mountTest(
  "output that cannot be written gives exit status 1 and one sentence",
  async (directory, t) => {
    const { image, mountpoint } = await imageIn(directory, MIB);
    const log = `${directory}/log`;
    await Deno.writeTextFile(log, "q0 <- 00\n");
    const socket = `${directory}/sock`;
    const args = [`--control=${socket}`, image, mountpoint];
    await using process = await ExportProcess.start(args);
    const commands = [
      "--help",
      "export --help",
      "--version",
      "info",
      "info --json",
      "decode $1",
      "sim --requests=10",
      "sim --requests=10 --json",
      "ctl $2 query",
      "ctl $2 query --json",
    ];
    await sideBySide(
      t,
      commands.map((line) => [line, async () => {
        const ended = await inShell(`mqfuse ${line} >/dev/full`, log, socket);
        const stderr = `mqfuse: ${FULL}\n`;
        assertEquals(ended, { code: 1, stdout: "", stderr });
        // A reader that has gone ends the command, as SIGPIPE does.
        const late = `{ sleep 0.2; mqfuse ${line}; echo $? >&2; } | true`;
        assertEquals((await inShell(late, log, socket)).stderr, "141\n");
      }]),
    );
    const ctl = await inShell("mqfuse ctl $1 readonly 2>/dev/full", socket);
    assertEquals(ctl.code, 1);
    assertEquals((await process.stop()).code, 0);
  },
);

mountTest(
  "an export whose events cannot be written says so once and serves on",
  async (directory) => {
    const { image, mountpoint } = await imageIn(directory, MIB);
    const socket = `${directory}/sock`;
    const line = "mqfuse export --json --stats=0.1 --control=$1 $2 $3";
    const ended = inShell(`${line} >/dev/full`, socket, image, mountpoint);
    const query = () => runMain(["ctl", socket, "query"]);
    while ((await query()).code !== 0);
    await must("cmp", image, mountpoint);
    assertEquals((await runMain(["ctl", socket, "stop"])).code, 0);
    const { code, stderr } = await within(ended, "stopping");
    assertEquals(code, 1, stderr);
    assertEquals(stderr.split(FULL).length, 2, stderr);
  },
);

mountTest(
  "an export whose terminal is closed serves on without output",
  async (directory) => {
    const { image, mountpoint } = await imageIn(directory, MIB);
    const script = new URL("_closed_terminal.py", import.meta.url).pathname;
    const program = [
      Deno.execPath(),
      "run",
      "--no-prompt",
      "--allow-ffi",
      MAIN,
    ];
    const args = ["export", "--stats=0.1", "--transport=device"];
    const line = [...program, ...args, image, mountpoint];
    const code = await must("python3", script, "Exporting", ...line);
    assertEquals(code, "0");
  },
  ["python3"],
);
