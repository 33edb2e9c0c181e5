import { assert, assertEquals } from "@std/assert";
import { ExportProcess, mountTest, must, run } from "./_harness.ts";
import { DEFECTS, THROWN } from "./_throwing_handler.ts";

const PROGRAM = new URL("./_throwing_program.ts", import.meta.url).pathname;
/** How long a client waits for an error at most, in milliseconds. */
const ERROR_MS = 1000;
const TRIES = 3;

/** What stat(1) of a name says, which has to be said soon. */
async function refusalOf(path: string): Promise<string> {
  let ms = 0;
  for (let i = 0; i < TRIES; i++) {
    const start = performance.now();
    const { code, stderr } = await run("stat", path);
    ms = performance.now() - start;
    assertEquals(code, 1, path);
    if (ms < ERROR_MS) return stderr.trim().split(": ").at(-1)!;
  }
  throw new Error(`${path}: the error came after ${ms} ms`);
}

mountTest(
  "an error that a handler throws reaches the client as its number, or as EIO with a report",
  async (directory) => {
    const mountpoint = `${directory}/mnt`;
    await Deno.mkdir(mountpoint);
    await using process = await ExportProcess.start([mountpoint], {
      main: PROGRAM,
      permissions: ["-A"],
    });
    const names = (table: object) =>
      Object.keys(table).flatMap((name) => [name, `${name} later`]);
    for (const name of names(THROWN)) {
      const refusal = await refusalOf(`${mountpoint}/${name}`);
      assertEquals(refusal, name.replace(" later", ""));
    }
    assertEquals(reports(process), []);
    for (const name of names(DEFECTS)) {
      const refusal = await refusalOf(`${mountpoint}/${name}`);
      assertEquals(refusal, "Input/output error");
      // Other requests go on.
      await must("stat", `${mountpoint}/fine`);
    }
    const { code, stderr } = await process.stop();
    assertEquals(code, 0, stderr);
    const all = reports(process);
    const messages = [
      "x is not a function",
      "absurd",
      "Handler threw no error at all",
      "Handler threw undefined",
    ];
    for (const message of messages) {
      // Now and later.
      const told = all.filter((text) => text.startsWith(`LOOKUP: ${message}`));
      assert(told.length >= 2, JSON.stringify(all));
    }
  },
  ["stat"],
);

/** What the program has reported: the request and the message. */
function reports({ events }: ExportProcess): string[] {
  return events.filter(({ event }) => event === "report").map((each) =>
    `${each.during}: ${each.message}`
  );
}
