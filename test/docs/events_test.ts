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

/** The only places that write to standard error. */
const WRITERS: Readonly<Record<string, string>> = {
  "src/cli/output/output.ts": "as events, with --log-format=json",
  "src/session/session_options.ts": "the default of the library's own users",
};

testIf(
  missingPermission("read"),
  "no sentence escapes --log-format=json: all are printed by Output",
  async () => {
    const files = (await readRepository()).filter(({ path }) =>
      path === "main.ts" || /^src\/.*\.(?:ts|js)$/.test(path)
    );
    const writers = files.filter(({ text }) =>
      /^(?! *\*).*\b(?:console\.|Deno\.stderr\b|sinks\.stderr\b)/m.test(text)
    ).map(({ path }) => path);
    assertEquals(writers, Object.keys(WRITERS));
  },
);

/** The lines of standard error, each of which has to be an event. */
function logOf(stderr: string): Event[] {
  return stderr.trimEnd().split("\n").map((line) => JSON.parse(line));
}

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
      Array.from(
        text.matchAll(/\b(?:event|log|tell|report)\(\s*"([a-z-]+)"/g),
        ([, name]) => name!,
      )
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
            "--log-format=json",
            image,
            mountpoint,
          ],
          [
            "mount",
            '<"$1"/disk.img',
            "--stats=0.2",
            "--log-format=json",
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
        const { code, stderr } = await process.ended;
        assertEquals(code, 0);
        add(process.events);
        const told = check(logOf(stderr));
        for (const name of ["ready", "notice", "in-use", "stats", "closed"]) {
          assert(told.includes(name), `${name} in ${stderr}`);
        }
      }
      const made = `qcow2:${directory}/new.qcow2`;
      add(await eventsOf("create", "--json", made, "1M"));
      add(await eventsOf("check", "--json", made));
      const copy = `${directory}/copy.img`;
      add(await eventsOf("convert", "--json", made, copy));
      for (const args of [["create", "one"], ["list"], ["delete", "one"]]) {
        add(await eventsOf("snapshot", "--json", made, ...args));
      }
      add(await eventsOf("resize", "--json", made, "2M"));
      const top = `qcow2:${directory}/top.qcow2`;
      add(await eventsOf("create", "--json", "--backing", made, top));
      add(await eventsOf("commit", "--json", top));
      add(await eventsOf("rebase", "--json", "--no-backing", top));
      // It is printed only where a copy takes long: test/cli tests that.
      check([{ event: "progress", step: "copying", done: 1, all: 2 }]);
      add(await eventsOf("info", "--json"));
      add(await eventsOf("info", "--json", made));
      add(await eventsOf("info", "--json", "--map", made));
      add(await eventsOf("export", "--json"));
      add(await eventsOf("demo", "--json"));
      const demo = await runMain(["demo", "--log-format=json"]);
      assertEquals(check(logOf(demo.stderr)), ["notice"]);
      assertEquals(demo.code, 0);
      // Lines are dropped only where nothing reads them: test/cli tests that.
      check([{ event: "dropped", lines: 3 }]);
      const failed = ["export", "--log-format=json", "none.img", mountpoint];
      const { stderr } = await runMain(failed, { env: { MQFUSE_DEBUG: "1" } });
      assertEquals(check(logOf(stderr)), ["error"]);
      assert(logOf(stderr)[0]!["stack"] !== undefined, stderr);
      assertEquals(NAMES.filter((name) => !seen.has(name)), [
        "dropped",
        "progress",
      ]);
    }, LIMIT_MS),
  ["sleep"],
);
