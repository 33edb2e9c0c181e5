import { assert, assertEquals } from "@std/assert";
import { Ajv2020 } from "ajv/dist/2020.js";
import SCHEMA from "../../docs/events.schema.json" with { type: "json" };
import EVENTS from "../../docs/EVENTS.md" with { type: "text" };
import {
  type Event,
  eventually,
  ExportProcess,
  imageIn,
  inDirectory,
  MIB,
  pause,
  runMain,
} from "../mount/_harness.ts";
import { readRepository } from "../_repository.ts";
import { kernelTest, missingPermission, testIf } from "../requirements.ts";

/** Names of all events. */
const NAMES = Object.keys(SCHEMA.$defs)
  .filter((name) => name.startsWith("event-"))
  .map((name) => name.slice("event-".length));

/** Requires that events are as the schema says; returns their names. */
function check(events: readonly Event[]): string[] {
  const ajv = new Ajv2020({ allErrors: true, allowUnionTypes: true });
  ajv.addSchema(SCHEMA, "events");
  for (const event of events) {
    const name = `events#/$defs/event-${event.event}`;
    const isValid = ajv.validate({ $ref: name }, event);
    assert(isValid, `${ajv.errorsText()}: ${JSON.stringify(event)}`);
  }
  return events.map(({ event }) => event);
}

async function eventsOf(...args: string[]): Promise<Event[]> {
  const { stdout } = await runMain(args);
  return stdout.trim().split("\n").map((line) => JSON.parse(line));
}

testIf(
  missingPermission("read"),
  "docs/events.schema.json has every event that the program prints",
  async () => {
    const files = (await readRepository())
      .filter(({ path }) => path.startsWith("src/cli/"));
    const printed = files.flatMap(({ text }) =>
      Array.from(text.matchAll(/\bevent\("([a-z-]+)"/g), ([, name]) => name!)
    );
    assert(printed.length > 5);
    assertEquals(printed.filter((name) => !NAMES.includes(name)), []);
  },
);

Deno.test("docs/EVENTS.md names every event of the schema", () => {
  for (const name of NAMES) assert(EVENTS.includes(`\`${name}\``), name);
});

/** It starts the program nine times. */
const LIMIT_MS = 180_000;

kernelTest(
  "every event is as docs/events.schema.json says",
  () =>
    inDirectory(async (directory) => {
      const { image, mountpoint } = await imageIn(directory, MIB);
      const seen = new Set<string>();
      const add = (events: readonly Event[]) => {
        for (const name of check(events)) seen.add(name);
      };
      const tree = `${directory}/tree`;
      await Deno.mkdir(tree);
      for (
        const [command, use, ...args] of [
          [
            "export",
            '<"$1"',
            "-w",
            "--stats=0.2",
            "--trace",
            image,
            mountpoint,
          ],
          [
            "mount",
            '<"$1"/disk.img',
            "--stats=0.2",
            `mirror:${directory}`,
            tree,
          ],
        ] as const
      ) {
        await using process = await ExportProcess.start(args, { command });
        const holder = new Deno.Command("sh", {
          args: ["-c", `exec ${use}; echo; exec sleep 60`, "sh", args.at(-1)!],
          stdin: "null",
          stdout: "piped",
        }).spawn();
        // It has opened the file.
        const reader = holder.stdout.getReader();
        await reader.read();
        await pause(500);
        process.signal("SIGTERM");
        const isWaiting = () =>
          process.events.some(({ event }) => event === "in-use");
        await eventually(isWaiting, "the event in-use");
        holder.kill();
        await Promise.all([holder.status, reader.cancel()]);
        assertEquals((await process.ended).code, 0);
        add(process.events);
      }
      const made = `qcow2:${directory}/new.qcow2`;
      add(await eventsOf("create", "--json", made, "1M"));
      add(await eventsOf("check", "--json", made));
      add(await eventsOf("info", "--json"));
      add(await eventsOf("info", "--json", made));
      add(await eventsOf("info", "--json", "--map", made));
      add(await eventsOf("export", "--json"));
      add(await eventsOf("demo", "--json"));
      // Lines are dropped only where nothing reads them: test/cli tests that.
      check([{ event: "dropped", lines: 3 }]);
      assertEquals(NAMES.filter((name) => !seen.has(name)), ["dropped"]);
    }, LIMIT_MS),
  ["sleep"],
);
